import { ArgumentError, type AttributeValue, type Intervention } from '../../core/index.js'
import type {
  ClinicalAttributes,
  ClinicalCaption,
  ClinicalFinding,
  FindingName,
  Laterality,
} from './attributes.js'
import { differences, saidAttributes, saidValue } from './differences.js'
import { FINDINGS } from './lexicon.js'
import { parseCaption } from './parse-caption.js'
import { captionOf } from './render-caption.js'
import { withFinding } from './set-finding.js'
import { setHead } from './set-head.js'

/** Options of {@link intervene}. */
export interface InterveneOptions {
  /**
   * `'in-place'` (default) changes the words of one attribute and keeps all others. `'figure-3'` says the changed
   * attribute alone, as the paper's edit prompts do: `Chest X-ray with no cardiomegaly`.
   */
  readonly style?: 'in-place' | 'figure-3'
}

/** A caption after an intervention. */
export interface IntervenedCaption {
  /** The caption. */
  readonly caption: string
  /** What was changed. */
  readonly intervention: Intervention
}

/**
 * Says one attribute of a caption otherwise. The result is read again: it is a caption of the same grammar, it
 * contradicts itself nowhere, and it differs from the first in this attribute alone.
 *
 * ```ts
 * intervene('Chest X-ray with cardiomegaly and support devices', 'cardiomegaly', false).caption
 * // 'Chest X-ray with no cardiomegaly and support devices'
 * intervene('Chest X-ray with cardiomegaly and support devices', 'cardiomegaly', false, { style: 'figure-3' }).caption
 * // 'Chest X-ray with no cardiomegaly'
 * ```
 *
 * @param caption - as text, or as it was read
 * @param attribute - `'age'`, `'sex'`, `'race'`, `'view'`, a finding, or a finding with ` severity` or ` laterality`
 * @param to - the value: a number of years, a word, true or false for a finding, `null` to leave a finding out
 * @param options - the form of the result
 * @throws ArgumentError when the caption lacks the attribute (findings may be added), has that value already, or the
 * value cannot be said without a contradiction or a second change
 * @throws CaptionError when the caption cannot be read
 */
export function intervene(
  caption: string | ClinicalCaption,
  attribute: string,
  to: AttributeValue | null,
  options: InterveneOptions = {},
): IntervenedCaption {
  const read = typeof caption === 'string' ? parseCaption(caption) : caption
  const from = saidValue(read, attribute)
  const change = { attribute, from, to }
  expectApplicable(read, change)
  const target = reword(read, attribute, to)
  const after = checked(read, target, change)
  if (options.style !== 'figure-3') return { caption: target, intervention: change }
  return { caption: alone(read, after, attribute), intervention: change }
}

/** Which finding an attribute belongs to, and which side of it. */
export function findingOf(
  attribute: string,
): { name: FindingName; part?: 'severity' | 'laterality' } | undefined {
  const [, owner, part] = /^(.*?)(?: (severity|laterality))?$/.exec(attribute)!
  if (!Object.hasOwn(FINDINGS, owner!)) return undefined
  return { name: owner as FindingName, ...(part && { part: part as 'severity' | 'laterality' }) }
}

function reword(read: ClinicalCaption, attribute: string, to: AttributeValue | null): string {
  const found = findingOf(attribute)
  if (!found) {
    const { head, clause, end } = read.wording
    const changed = setHead(head, attribute as 'age', to as string)
    return changed.map(({ text }) => text).join('') + clause + end
  }
  const { name, part } = found
  if (!part) return withFinding(read, name, to === null ? null : { name, present: to === true })
  const { [part]: _, ...rest } = read.findings.find((finding) => finding.name === name)!
  return withFinding(read, name, to === null ? rest : { ...rest, [part]: to as Laterality })
}

// The changed attribute and nothing else, in the caption's own form of age.
function alone(read: ClinicalCaption, after: ClinicalAttributes, attribute: string): string {
  const found = findingOf(attribute)
  if (found) {
    const finding = after.findings.find(({ name }) => name === found.name)
    return captionOf({ findings: finding ? [finding as ClinicalFinding] : [] }, 'figure-3')
  }
  const isPlural = read.wording.head.some(({ slot, text }) => slot === 'age' && /years/i.test(text))
  const only = { [attribute]: saidValue(after, attribute), findings: [] } as ClinicalAttributes
  return captionOf(only, isPlural || attribute !== 'age' ? 'paper' : 'figure-1')
}

function expectApplicable(read: ClinicalCaption, { attribute, from, to }: Intervention): void {
  const found = findingOf(attribute)
  const refuse = (rule: string, got: string, mend: string) => {
    throw new ArgumentError({ rule: `intervene ${rule}`, got, mend })
  }
  const said = saidAttributes(read).join(', ') || 'nothing'
  if (!found && !['age', 'sex', 'race', 'view'].includes(attribute))
    refuse(
      'needs an attribute that the grammar knows',
      JSON.stringify(attribute),
      'See CHEXPERT_FINDINGS and DEVICES.',
    )
  const isLacking = found?.part ? saidValue(read, found.name) !== true : !found && from === null
  if (isLacking)
    refuse(`needs a caption that says ${attribute}`, `one that says ${said}`, 'Choose one of those.')
  if (from === to && !(found && !found.part && to === false && !saidAttributes(read).includes(found.name)))
    refuse(
      `needs another ${attribute}`,
      `${to}, which the caption says already`,
      'Such an edit changes nothing.',
    )
  const kind = found ? (found.part ? 'string' : 'boolean') : attribute === 'age' ? 'number' : 'string'
  const fits = typeof to === kind || (to === null && found !== undefined)
  if (!fits)
    refuse(`needs ${attribute} as a ${kind}`, JSON.stringify(to), 'Only findings can be left out with null.')
}

function checked(read: ClinicalCaption, target: string, change: Intervention): ClinicalCaption {
  let got = ''
  let cause: unknown
  try {
    const after = parseCaption(target)
    const found = differences(read, after)
    const [only] = found
    if (found.length === 1 && only!.attribute === change.attribute && only!.to === change.to) return after
    got = `${JSON.stringify(target)}, which changes ${found.map(({ attribute }) => attribute).join(', ') || 'nothing'}`
  } catch (error) {
    got = JSON.stringify(target)
    cause = error
  }
  throw new ArgumentError({
    rule: `intervene changes ${change.attribute} to ${change.to} and nothing else`,
    got,
    mend: 'Choose a value of the lexicon that does not contradict the rest of the caption.',
    cause,
  })
}
