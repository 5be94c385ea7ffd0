import { articleBefore } from './articles.js'
import type { ClinicalFinding, FindingWording } from './attributes.js'
import { adverbOf } from './finding-phrases.js'
import { FINDINGS, pluralOf, singularOf } from './lexicon.js'

/**
 * A finding in words: `no pleural effusion`, `small left pleural effusion`, `bilateral pleural effusions`.
 *
 * @param finding - what to say
 * @param wording - how it was said before: its noun, part of the lung and article are kept
 */
export function findingWords(finding: ClinicalFinding, wording?: FindingWording): string {
  const { name, present, severity, laterality } = finding
  if (name === 'no finding') return `no ${wording?.noun ?? 'findings'}`
  const preferred = FINDINGS[name].nouns[0]!.split('/')[0]!
  const typed = wording?.noun ?? preferred
  const noun = /^\p{Lu}\p{Ll}/u.test(typed) ? typed.toLowerCase() : typed
  if (!present) return `no ${noun}`
  const agreed = laterality === 'bilateral' ? pluralOf(noun) : laterality ? singularOf(noun) : noun
  const grade = severity && (/^(enlarged|widened)/i.test(noun) ? adverbOf(severity) : severity)
  const words = [grade, laterality, wording?.zone, agreed].filter(Boolean).join(' ')
  const countable = /^(an?) /i.test(wording?.text ?? '') && laterality !== 'bilateral'
  return countable ? `${articleBefore(words)} ${words}` : words
}

/** A list as it is spoken: `A, B and C`. */
export function listWords(
  items: readonly string[],
  [between, last]: readonly [string, string] = [', ', ' and '],
): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(between)}${last}${items.at(-1)}`
}
