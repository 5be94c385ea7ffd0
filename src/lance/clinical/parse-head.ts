import type { ClinicalAttributes, HeadPiece } from './attributes.js'
import { cue, laterality, link, noun, severity } from './finding-phrases.js'
import {
  aged,
  article,
  type HeadSlot,
  imaging,
  normal,
  quiet,
  race,
  sex,
  view,
  years,
} from './head-phrases.js'
import type { CaptionToken } from './phrase-matcher.js'

/** What stands before the findings. */
export interface ParsedHead {
  /** Pieces that make up the text. */
  readonly pieces: readonly HeadPiece[]
  /** What they say. */
  readonly attributes: Omit<ClinicalAttributes, 'findings'>
  /** Whether it says that nothing was found. */
  readonly normal: boolean
  /** Whether it names an X-ray. */
  readonly imaging: boolean
  /** Words that could not be read. */
  readonly unread: readonly string[]
  /** Attributes that are said twice, differently. */
  readonly torn: readonly string[]
  /** The first token after it. */
  readonly next: number
}

/** Reads a caption up to its findings: view, kind of picture, subject, in any order. */
export function parseHead(caption: string, tokens: readonly CaptionToken[], end: number): ParsedHead {
  const pieces: HeadPiece[] = []
  const said: { -readonly [K in keyof ParsedHead['attributes']]: ParsedHead['attributes'][K] } = {}
  const unread: string[] = []
  const torn: string[] = []
  let [at, from, isNormal, isImaging] = [0, 0, false, false]
  const take = (length: number, slot?: HeadSlot) => {
    at += length
    const to = tokens[at - 1]!.end
    pieces.push({ text: caption.slice(from, to), ...(slot && { slot }) })
    from = to
  }
  const say = (name: 'age' | 'sex' | 'race' | 'view', value: string | number, length: number) => {
    if (said[name] !== undefined && said[name] !== value) torn.push(`${said[name]}`, `${value}`)
    Object.assign(said, { [name]: value })
    take(length, name)
  }

  while (at < end && !startsFindings(tokens, at)) {
    const age = ageAt(tokens, at)
    const [as, of, where] = [sex(tokens, at), race(tokens, at), view(tokens, at)]
    if (age) say('age', age.years, age.length)
    else if (where) say('view', where.value, where.length)
    else if (of) say('race', of.value, of.length)
    else if (as) say('sex', as.value, as.length)
    else if (normal(tokens, at)) {
      isNormal = true
      take(1, 'normal')
    } else if (article(tokens, at) && !quiet(tokens, at)) take(1, 'article')
    else {
      const picture = imaging(tokens, at)
      const length = picture?.length ?? quiet(tokens, at)?.length
      isImaging ||= picture !== undefined
      if (length === undefined && !/^[.,]$/.test(tokens[at]!.text)) unread.push(wordAt(caption, tokens[at]!))
      take(length ?? 1)
    }
  }
  return { pieces, attributes: said, normal: isNormal, imaging: isImaging, unread, torn, next: at }
}

/** The word of the caption that holds a token, with what is glued to it by hyphens. */
export function wordAt(caption: string, { start, end }: CaptionToken): string {
  const before = /[\p{L}\p{M}\p{N}-]*$/u.exec(caption.slice(0, start))![0]
  const after = /^[\p{L}\p{M}\p{N}-]*/u.exec(caption.slice(end))![0]
  return before + caption.slice(start, end) + after
}

function startsFindings(tokens: readonly CaptionToken[], at: number): boolean {
  if (view(tokens, at) || imaging(tokens, at)) return false
  return [link, cue, noun, severity, laterality].some((phrase) => phrase(tokens, at))
}

function ageAt(tokens: readonly CaptionToken[], at: number): { years: number; length: number } | undefined {
  const before = aged(tokens, at)?.length ?? 0
  const number = tokens[at + before]?.text ?? ''
  if (!/^\p{Nd}{1,3}$/u.test(number) || Number(number) > 120) return undefined
  const after = years(tokens, at + before + 1)?.length ?? 0
  return before + after > 0 ? { years: Number(number), length: before + 1 + after } : undefined
}
