import { ArgumentError } from '../../core/index.js'
import type { ClinicalAttributes } from '../clinical/attributes.js'
import { type CaptionStyle, captionOf } from '../clinical/render-caption.js'
import type { Captioner, NamedPicture } from './captioner.js'

/** Attributes by a picture's name, or a function that finds them. */
export type AttributeSource =
  | Readonly<Record<string, ClinicalAttributes>>
  | ((picture: NamedPicture) => ClinicalAttributes | Promise<ClinicalAttributes>)

/**
 * A captioner that says known attributes in one of the published forms.
 *
 * ```ts
 * const caption = templateCaptioner({ 'a.png': { age: 85, sex: 'male', findings: [{ name: 'edema', present: true }] } })
 * await caption({ name: 'a.png', image }) // 'Chest X-ray of 85-years old male subject with edema.'
 * ```
 *
 * @param attributes - of each picture
 * @param style - the form; the paper's template
 * @returns a captioner; it throws ArgumentError for a picture without attributes
 */
export function templateCaptioner(attributes: AttributeSource, style: CaptionStyle = 'paper'): Captioner {
  return async (picture) => {
    const known =
      typeof attributes === 'function' ? await attributes(picture) : ownValue(attributes, picture.name)
    if (known) return captionOf(known, style)
    throw new ArgumentError({
      rule: 'templateCaptioner needs attributes for every picture',
      got: `none for ${JSON.stringify(picture.name)}`,
      mend: `Known are ${Object.keys(attributes).slice(0, 5).join(', ') || 'none'}.`,
    })
  }
}

const ownValue = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
