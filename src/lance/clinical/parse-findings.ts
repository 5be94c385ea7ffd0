import type { ClinicalFinding, FindingName, FindingWording, Laterality } from './attributes.js'
import * as phrase from './finding-phrases.js'
import { wordAt } from './parse-head.js'
import type { CaptionToken } from './phrase-matcher.js'

/** A finding as it was read, before its wording is settled. */
export interface ReadFinding {
  /** What is said. */
  readonly finding: ClinicalFinding
  /** How. */
  readonly wording: FindingWording
}

/** What stands after the head. */
export interface ParsedFindings {
  /** In order. */
  readonly read: readonly ReadFinding[]
  /** The first words that lead to findings; empty without. */
  readonly link: string
  /** Between two findings, and between the last two. */
  readonly joints: readonly [string, string]
  /** Words that could not be read. */
  readonly unread: readonly string[]
}

/** One finding while it is read. */
interface Item {
  from: number
  cue?: boolean
  /** Joined to the one before by… */
  joint: 'and' | 'or' | 'but'
  /** Stands after words that deny, such as `without`. */
  linkDenies: boolean
  severity?: string
  laterality?: Laterality
  zone: string
  /** Has an article. */
  article: boolean
  name?: FindingName
  noun: string
  verdict?: boolean
  to: number
}

/** Reads the findings of a caption from a token on. */
export function parseFindings(
  caption: string,
  tokens: readonly CaptionToken[],
  first: number,
  end: number,
): ParsedFindings {
  const text = (from: number, to: number) => caption.slice(tokens[from]!.start, tokens[to - 1]!.end)
  const items: Item[] = []
  const unread: string[] = []
  const gaps: string[] = []
  let [at, link, linkDenies] = [first, '', false]
  let joint: Item['joint'] = 'but'
  let item: Item | undefined
  const open = (): Item => {
    item ??= { from: at, to: at, joint, linkDenies, zone: '', article: false, noun: '' }
    return item
  }

  while (at < end) {
    const linked = phrase.link(tokens, at)
    const cued = phrase.cue(tokens, at)
    const joined = phrase.joint(tokens, at)
    const named = phrase.noun(tokens, at)
    const cleared = phrase.clear(tokens, at)
    const graded = phrase.severity(tokens, at)
    const sided = phrase.laterality(tokens, at)
    const zoned = phrase.zone(tokens, at)
    const filled = phrase.filler(tokens, at)
    // A bare "findings" leads to a list, unless a negation stands before it.
    const isNoun = named && (!linked || item?.cue !== undefined || linkDenies)
    if (linked && !isNoun) {
      link ||= text(at, at + linked.length)
      linkDenies = !linked.value
      joint = 'but'
      at += linked.length
    } else if (cued) {
      open().cue = cued.value
      at += cued.length
    } else if (named || cleared) {
      const current = open()
      const length = named?.length ?? cleared!.length
      current.name = named?.value ?? 'no finding'
      current.noun = text(at, at + length)
      if (!named) current.verdict = false
      at += length
      for (let more = true; more; ) {
        const [side, seen] = [phrase.sideAfter(tokens, at), phrase.verdict(tokens, at)]
        if (side) current.laterality = side.value
        if (seen) current.verdict = seen.value
        more = side !== undefined || seen !== undefined
        at += side?.length ?? seen?.length ?? 0
      }
      current.to = at
      if (items.length > 0)
        gaps.push(caption.slice(tokens[items.at(-1)!.to - 1]!.end, tokens[current.from]!.start))
      items.push(current)
      item = undefined
      joint = 'and'
    } else if (graded) {
      open().severity = graded.value
      at += graded.length
    } else if (sided) {
      open().laterality = sided.value
      at += sided.length
    } else if (zoned) {
      open().zone = text(at, at + zoned.length)
      at += zoned.length
    } else if (joined && !item) {
      joint = stronger(joint, joined.value)
      if (tokens[at]!.text === '.') linkDenies = false
      at += joined.length
    } else if (filled) {
      if (/^an?$/.test(tokens[at]!.text)) open().article = true
      else open()
      at += filled.length
    } else {
      unread.push(wordAt(caption, tokens[at]!))
      at += 1
    }
  }
  if (item) unread.push(...caption.slice(tokens[item.from]!.start, tokens[end - 1]!.end).split(/\s+/))
  const denied = deniedItems(items)
  const read: ReadFinding[] = []
  for (const [i, one] of items.entries()) {
    const isDenied = denied[i]! !== (one.verdict === false)
    const name = one.name!
    if (name === 'no finding' && !isDenied) unread.push(...text(one.from, one.to).split(/\s+/))
    const present = name === 'no finding' ? isDenied : !isDenied
    read.push({
      finding: {
        name,
        present,
        ...(present && one.severity !== undefined && { severity: one.severity }),
        ...(present && one.laterality !== undefined && { laterality: one.laterality }),
      },
      wording: {
        text: text(one.from, one.to),
        noun: one.noun,
        zone: one.zone,
        whole:
          (!denied[i] || one.cue !== undefined) &&
          one.verdict === undefined &&
          !/^(\p{Lu}\p{Ll}|A )/u.test(text(one.from, one.to)),
      },
    })
  }
  return { read, link, joints: jointsOf(gaps), unread: [...new Set(unread)] }
}

const strength = { and: 0, or: 1, but: 2 }
const stronger = (a: Item['joint'], b: Item['joint']) => (strength[a] >= strength[b] ? a : b)

// Which findings a negation reaches. Its own, and those after it: `without` and `no evidence of` reach over `and` and
// commas up to a graded finding, and over `or`; `no` reaches over commas only if `or` ends the list.
function deniedItems(items: readonly Item[]): boolean[] {
  const denied: boolean[] = []
  let wide = false
  for (const [i, { cue, linkDenies, joint, severity, article }] of items.entries()) {
    const follows: boolean = joint !== 'but' && denied[i - 1] === true && cue === undefined
    const reached: boolean = follows && (endsInOr(items, i) || (wide && !severity && !article))
    const byLink = linkDenies && cue === undefined && (joint !== 'and' || !severity)
    denied.push(cue !== undefined || reached || byLink)
    wide = cue === true || byLink || (reached && wide)
  }
  return denied
}

// Whether the list that runs through an item, of findings without a negation of their own, is closed by "or".
function endsInOr(items: readonly Item[], at: number): boolean {
  const rest = items.slice(at)
  const stop = rest.findIndex((one, k) => one.joint !== 'and' || (k > 0 && one.cue !== undefined))
  return stop >= 0 && rest[stop]!.joint === 'or' && rest[stop]!.cue === undefined
}

// How the findings were joined: the first gap and the last. Anything but a comma or "and" gives way to the usual.
function jointsOf(gaps: readonly string[]): readonly [string, string] {
  const usual = (gap: string | undefined) =>
    gap !== undefined && /^(, | and |, and )$/.test(gap) ? gap : undefined
  const last = usual(gaps.at(-1)) ?? ' and '
  return [gaps.length > 1 ? (usual(gaps[0]) ?? ', ') : ', ', last]
}
