import type { AttributeValue, Intervention } from '../../core/index.js'
import type { ClinicalAttributes, FindingName } from './attributes.js'
import { isDevice } from './lexicon.js'

/**
 * What a caption says of an attribute: `'age'`, `'sex'`, `'race'`, `'view'`, the name of a finding, or that name with
 * ` severity` or ` laterality`.
 *
 * @returns `null` where the caption leaves it out; false where "no findings" implies it
 */
export function saidValue(caption: ClinicalAttributes, attribute: string): AttributeValue | null {
  const said = saidValues(caption).get(attribute)
  if (said !== undefined) return said
  const isFinding =
    attribute !== 'no finding' && !/^(age|sex|race|view|.* (severity|laterality))$/.test(attribute)
  return isFinding && saysNothingFound(caption) && !isDevice(attribute as FindingName) ? false : null
}

/** The attributes that a caption says, in its order. */
export function saidAttributes(caption: ClinicalAttributes): string[] {
  return [...saidValues(caption).keys()]
}

/**
 * How two captions differ, attribute by attribute. A finding that comes or goes takes its severity and side with it,
 * and "no findings" gives way to the first finding: both count as one difference.
 *
 * @param from - before
 * @param to - after
 */
export function differences(from: ClinicalAttributes, to: ClinicalAttributes): Intervention[] {
  const names = new Set([...saidAttributes(from), ...saidAttributes(to)])
  const found = [...names].flatMap((attribute) => {
    const [before, after] = [saidValue(from, attribute), saidValue(to, attribute)]
    return before === after ? [] : [{ attribute, from: before, to: after }]
  })
  const moved = new Set(found.map(({ attribute }) => attribute))
  return found.filter(({ attribute, to: after }) => {
    const owner = attribute.replace(/ (severity|laterality)$/, '')
    if (owner !== attribute) return !moved.has(owner)
    const other = after === null ? to : from
    const told = other.findings.some(
      ({ name, present }) => present && name !== 'no finding' && !isDevice(name),
    )
    return attribute !== 'no finding' || !told
  })
}

function saysNothingFound({ findings }: ClinicalAttributes): boolean {
  return findings.some(({ name, present }) => name === 'no finding' && present)
}

function saidValues({ age, sex, race, view, findings }: ClinicalAttributes): Map<string, AttributeValue> {
  const values = new Map<string, AttributeValue>()
  for (const [name, value] of Object.entries({ view, age, race, sex }))
    if (value !== undefined) values.set(name, value)
  for (const { name, present, severity, laterality } of findings) {
    values.set(name, present)
    if (present && severity !== undefined) values.set(`${name} severity`, severity)
    if (present && laterality !== undefined) values.set(`${name} laterality`, laterality)
  }
  return values
}
