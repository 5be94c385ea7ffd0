/**
 * What every counterfactual must satisfy, whoever made it: composition, reversibility, effectiveness, minimality,
 * beside the noise floor.
 *
 * @packageDocumentation
 */
export { aboveFloor } from './above-floor.js'
export { composition } from './composition.js'
export type { AxiomResult, Distance, Distances, Edit } from './distance.js'
export { type EffectivenessAxiom, effectiveness } from './effectiveness.js'
export { type MinimalityInput, minimality } from './minimality.js'
export { noiseFloor, type RoundTrips } from './noise-floor.js'
export type { RepeatOptions } from './repeat.js'
export { reversibility } from './reversibility.js'
