import { CaptionError } from '../caption-error.js'
import type { ClinicalCaption } from './attributes.js'
import { contradictions } from './consistency.js'
import { parseFindings, type ReadFinding } from './parse-findings.js'
import { parseHead } from './parse-head.js'
import { captionTokens } from './phrase-matcher.js'

/**
 * Reads the caption of an X-ray: view, age, sex, race, and what it tells or denies of the 14 findings of CheXpert and
 * of devices, with severity and side. What a caption leaves out stays out: that is not a denial.
 *
 * `no` denies one finding: of `no A and B`, B is told. It reaches over a list that ends in `or`. `without` and
 * `no evidence of` reach over `and` too.
 *
 * ```ts
 * parseCaption('Chest X-ray of 85-years old male subject with mild cardiomegaly and no pleural effusion.')
 * // age 85, sex 'male', findings [cardiomegaly (mild), no pleural effusion]
 * ```
 *
 * @param caption - in English
 * @returns what it says and how; {@link renderCaption} gives the caption back, letter by letter
 * @throws CaptionError naming the words that could not be read, or that contradict each other
 */
export function parseCaption(caption: string): ClinicalCaption {
  const tokens = captionTokens(caption)
  if (tokens.length === 0) throw unread(caption, [])
  const stop = tokens.at(-1)!.text === '.' ? tokens.at(-1)!.start : caption.length
  const end = stop === caption.length ? tokens.length : tokens.length - 1
  const head = parseHead(caption, tokens, end)
  const { read, link, joints, unread: odd } = parseFindings(caption, tokens, head.next, end)
  const words = [...head.unread, ...odd]
  if (words.length > 0) throw unread(caption, words)
  if (head.torn.length > 0) throw contradictory(caption, head.torn)
  if (!head.imaging && read.length === 0 && !head.normal) throw unread(caption, caption.trim().split(/\s+/))
  if (link !== '' && read.length === 0) throw unread(caption, link.split(' '))

  const merged = mergeTwins(read)
  const isTold = merged.some(({ finding }) => finding.name === 'no finding')
  const findings = merged.map(({ finding }) => finding)
  const all =
    head.normal && !isTold ? [...findings, { name: 'no finding', present: true } as const] : findings
  const torn = contradictions(all)
  if (torn.length > 0) throw contradictory(caption, torn.flat())
  const headLength = head.pieces.reduce((sum, { text }) => sum + text.length, 0)
  return {
    ...head.attributes,
    findings: all,
    wording: {
      head: head.pieces,
      clause: caption.slice(headLength, stop),
      link,
      findings: merged.map(({ wording }) => wording),
      joints,
      end: caption.slice(stop),
    },
  }
}

// "left effusion and right effusion" is one finding on both sides.
function mergeTwins(read: readonly ReadFinding[]): ReadFinding[] {
  const merged: ReadFinding[] = []
  for (const one of read) {
    const at = merged.findIndex(
      ({ finding: { name, present } }) => name === one.finding.name && present === one.finding.present,
    )
    const twin = merged[at]
    if (!twin) {
      merged.push(one)
      continue
    }
    const sides = new Set(
      [twin.finding.laterality, one.finding.laterality].filter((side) => side !== undefined),
    )
    const side = sides.size > 1 ? 'bilateral' : [...sides][0]
    const severity = twin.finding.severity ?? one.finding.severity
    merged[at] = {
      finding: { ...twin.finding, ...(side && { laterality: side }), ...(severity && { severity }) },
      wording: { ...twin.wording, whole: false },
    }
  }
  return merged
}

function unread(caption: string, words: readonly string[]): CaptionError {
  const listed = [...new Set(words)]
  return new CaptionError(
    {
      rule: 'parseCaption needs the caption of a chest X-ray in the words of its lexicon',
      got:
        listed.length > 0
          ? `the words ${listed.map((word) => JSON.stringify(word)).join(', ')} in ${JSON.stringify(caption)}`
          : 'an empty caption',
      mend: 'Say "Chest X-ray with A and no B", or "Chest X-ray of 85-years old white male subject with A."; for other captions use naturalPerturber() or languageModelPerturber().',
    },
    listed,
  )
}

function contradictory(caption: string, words: readonly string[]): CaptionError {
  return new CaptionError(
    {
      rule: 'a caption says each thing once, and nothing against it',
      got: `${[...new Set(words)].map((word) => JSON.stringify(word)).join(' against ')} in ${JSON.stringify(caption)}`,
      mend: 'Leave one of them out.',
    },
    [...new Set(words)],
  )
}
