import type { ClinicalFinding, FindingName } from './attributes.js'
import { FINDINGS, isDevice } from './lexicon.js'

/**
 * Pairs of findings that cannot both be said: one told and denied, something told where there is nothing, a case told
 * of what is denied. "No findings" says nothing of devices, as in CheXpert.
 */
export function contradictions(
  findings: readonly ClinicalFinding[],
): (readonly [FindingName, FindingName])[] {
  const told = findings.filter(({ name, present }) => present && name !== 'no finding')
  const nothing = findings.some(({ name, present }) => present && name === 'no finding')
  return told.flatMap(({ name }) => {
    const denies = (other: FindingName) => findings.some((one) => one.name === other && !one.present)
    const against = [name, ...ancestors(name)].filter(denies)
    if (nothing && !isDevice(name)) against.push('no finding')
    return against.map((other) => [name, other] as const)
  })
}

/** All that a finding is a case of. */
export function ancestors(name: FindingName): FindingName[] {
  return FINDINGS[name].within.flatMap((parent) => [parent, ...ancestors(parent)])
}
