/**
 * What an intervention does to a measurement: average, direct and indirect effects, and the answer to its strength.
 *
 * @packageDocumentation
 */
export {
  type AverageEffect,
  type AverageEffectOptions,
  averageEffect,
  type EffectRow,
  type EquivalenceToMargin,
} from './average-effect.js'
export {
  type DosePoint,
  type DoseResponse,
  type DoseResponseOptions,
  type DoseRow,
  doseResponse,
} from './dose-response.js'
export type { EffectEstimate, EffectOptions } from './estimate.js'
export { type CornerRow, type FourCorner, fourCorner } from './four-corner.js'
