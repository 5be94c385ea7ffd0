import { drawNuisances, type Nuisances } from './nuisances.js'
import { uniforms } from './random.js'

// The graph of the phantoms, every arrow of it:
//
//   age ──► cardiomegaly ──► pacemaker ◄── support ──► line
//   age ──► effusion                       sex
//
// `support` (the patient needs a support device) is never drawn and never named. A caption's "support
// devices" means a visible one: a pacemaker or a line.

/** What can be intervened on. `age` is in whole years, 20 to 90. */
export interface Attributes {
  readonly sex: 'male' | 'female'
  readonly age: number
  readonly cardiomegaly: boolean
  readonly effusion: boolean
  readonly pacemaker: boolean
  readonly line: boolean
}

/** The name of one attribute. */
export type AttributeName = keyof Attributes

/** The exogenous noise, one independent uniform number in [0, 1) per mechanism. */
export type Exogenous = Readonly<Record<AttributeName | 'support', number>>

/** One patient: noise, the attributes that follow from it, and the nuisances that no attribute touches. */
export interface Patient {
  readonly seed: number
  readonly exogenous: Exogenous
  readonly attributes: Attributes
  readonly nuisances: Nuisances
}

/** The constants of the structural equations. */
export const GRAPH = {
  female: 0.5,
  age: { from: 20, to: 90 },
  cardiomegaly: { half: 75, years: 50 },
  effusion: { half: 62, years: 12 },
  support: 0.55,
  pacemaker: { withCardiomegaly: 0.89, without: 0.045 },
  line: 0.9,
} as const

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** P(cardiomegaly | age): 0.25 at 20 years, 0.57 at 90. */
export const cardiomegalyRisk = (age: number) =>
  logistic((age - GRAPH.cardiomegaly.half) / GRAPH.cardiomegaly.years)

/** P(effusion | age): 0.03 at 20 years, 0.91 at 90. */
export const effusionRisk = (age: number) => logistic((age - GRAPH.effusion.half) / GRAPH.effusion.years)

/**
 * The structural equations: attributes from noise.
 * @param noise the exogenous numbers
 * @param action attributes set by intervention, do(.): their own equations are cut, their effects follow
 */
export function structuralEquations(noise: Exogenous, action: Partial<Attributes> = {}): Attributes {
  const { from, to } = GRAPH.age
  const sex = action.sex ?? (noise.sex < GRAPH.female ? 'female' : 'male')
  const age = action.age ?? from + Math.floor((to - from + 1) * noise.age)
  const cardiomegaly = action.cardiomegaly ?? noise.cardiomegaly < cardiomegalyRisk(age)
  const effusion = action.effusion ?? noise.effusion < effusionRisk(age)
  const support = noise.support < GRAPH.support
  const wired = cardiomegaly ? GRAPH.pacemaker.withCardiomegaly : GRAPH.pacemaker.without
  const pacemaker = action.pacemaker ?? (support && noise.pacemaker < wired)
  const line = action.line ?? (support && noise.line < GRAPH.line)
  return { sex, age, cardiomegaly, effusion, pacemaker, line }
}

/** The patient of a seed. The same seed gives the same patient, at every picture size. */
export function patient(seed: number): Patient {
  const uniform = uniforms(seed)
  const exogenous: Exogenous = {
    sex: uniform(),
    age: uniform(),
    cardiomegaly: uniform(),
    effusion: uniform(),
    support: uniform(),
    pacemaker: uniform(),
    line: uniform(),
  }
  return {
    seed,
    exogenous,
    attributes: structuralEquations(exogenous),
    nuisances: drawNuisances(seed),
  }
}

/**
 * The same patient after an intervention: same noise, same nuisances.
 *
 * By default only the named attributes change and the others keep their values, which gives the true
 * counterfactual picture of those attributes alone. With `propagate` the structural equations carry the
 * intervention on to its effects (a smaller heart may lose its pacemaker), as in abduction, action, prediction.
 */
export function counterfactual(
  factual: Patient,
  action: Partial<Attributes>,
  { propagate = false }: { readonly propagate?: boolean } = {},
): Patient {
  const attributes = propagate
    ? structuralEquations(factual.exogenous, action)
    : { ...factual.attributes, ...action }
  return { ...factual, attributes }
}

/** Who may see a patient: the diffusion model, the detectors, or nobody before the test. */
export type Split = 'training' | 'detectors' | 'held-out'

const SPLITS: readonly Split[] = ['training', 'detectors', 'held-out']

/** Seeds of the three splits are congruent to 0, 1 and 2 modulo 3, hence disjoint. */
export const seedOf = (split: Split, index: number): number => SPLITS.length * index + SPLITS.indexOf(split)

/** The i-th patient that the diffusion model is trained on. */
export const training = (index: number): Patient => patient(seedOf('training', index))

/** The i-th patient that nothing was fitted on. */
export const heldOut = (index: number): Patient => patient(seedOf('held-out', index))
