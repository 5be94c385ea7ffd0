import { ArgumentError } from '../../core/index.js'
import type { ClinicalAttributes, ClinicalCaption } from './attributes.js'
import { differences } from './differences.js'
import { findingWords, listWords } from './finding-words.js'
import { parseCaption } from './parse-caption.js'

/**
 * A form of caption.
 *
 * - `'paper'`: `Chest X-ray of 85-years old white male subject with cardiomegaly and no edema.`
 * - `'figure-1'`: `Chest X-ray of 85-year old white male subject with cardiomegaly and no edema.`
 * - `'figure-3'`: `Chest X-ray with cardiomegaly and no edema`; the subject and the view are left out
 * - `'prism'`: `Chest X-ray showing cardiomegaly`, or `Normal chest X-ray with no significant findings`; names only
 *   what is there
 */
export type CaptionStyle = 'paper' | 'figure-1' | 'figure-3' | 'prism'

/**
 * The caption of attributes in one of the published forms.
 *
 * ```ts
 * captionOf({ age: 85, sex: 'male', findings: [{ name: 'cardiomegaly', present: true }] })
 * // 'Chest X-ray of 85-years old male subject with cardiomegaly.'
 * ```
 *
 * @param attributes - what to say; what is left out is not said
 * @param style - the form; the paper's
 */
export function captionOf(attributes: ClinicalAttributes, style: CaptionStyle = 'paper'): string {
  const { age, sex, race, view, findings } = attributes
  if (style === 'prism') return prismCaption(attributes)
  const told = listWords(findings.map((finding) => findingWords(finding)))
  const ending = told === '' ? '' : ` with ${told}`
  if (style === 'figure-3') return `Chest X-ray${ending}`
  const years = age === undefined ? undefined : `${age}-year${style === 'paper' ? 's' : ''} old`
  const subject = [years, race, sex].filter((word) => word !== undefined)
  const of = subject.length > 0 ? ` of ${subject.join(' ')} subject` : ''
  const picture = view === undefined ? 'Chest X-ray' : `${view[0]!.toUpperCase()}${view.slice(1)} chest X-ray`
  return `${picture}${of}${ending}.`
}

/**
 * The caption that was read, letter by letter: `renderCaption(parseCaption(text)) === text`.
 *
 * @param caption - as {@link parseCaption} or {@link intervene} gave it
 * @throws ArgumentError when attributes were changed behind the wording's back
 */
export function renderCaption(caption: ClinicalCaption): string {
  const { head, clause, end } = caption.wording
  const text = head.map((piece) => piece.text).join('') + clause + end
  const changed = differences(parseCaption(text), caption)
  if (changed.length === 0) return text
  throw new ArgumentError({
    rule: 'renderCaption needs a caption whose wording says its attributes',
    got: `${JSON.stringify(text)} with another ${changed.map(({ attribute }) => attribute).join(', ')}`,
    mend: 'Change attributes with intervene(), or render them anew with captionOf().',
  })
}

function prismCaption({ findings }: ClinicalAttributes): string {
  const told = findings.filter(({ name, present }) => present && name !== 'no finding')
  if (told.length > 0) return `Chest X-ray showing ${told.map((finding) => findingWords(finding)).join(', ')}`
  return 'Normal chest X-ray with no significant findings'
}
