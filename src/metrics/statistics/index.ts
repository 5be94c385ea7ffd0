/**
 * Intervals and tests for numbers measured on pictures of patients, each one function of plain arrays.
 *
 * @packageDocumentation
 */
export { acceleration, type BcaBounds, type BcaInput, bcaBounds } from './bca.js'
export { type BootstrapMethod, type BootstrapOptions, type BootstrapResult, bootstrap } from './bootstrap.js'
export { type BootstrapTInput, bootstrapTBounds, jackknifeError } from './bootstrap-t.js'
export { type AucComparison, type AucResult, delongAuc, delongTest, rocAuc } from './delong.js'
export {
  chiSquareCdf,
  chiSquareQuantile,
  normalCdf,
  normalQuantile,
  normalTwoSided,
  studentTCdf,
  studentTQuantile,
} from './distributions.js'
export { benjaminiHochberg, benjaminiYekutieli } from './false-discovery.js'
export { type CorrelationResult, fisherZ, partialCorrelation } from './fisher-z.js'
export {
  type GeneralisedCovarianceOptions,
  type GeneralisedCovarianceResult,
  generalisedCovariance,
  type Residuals,
} from './generalised-covariance.js'
export { holm } from './holm.js'
export { isotonic } from './isotonic.js'
export { linearResiduals } from './least-squares.js'
export {
  type MantelHaenszelOptions,
  type MantelHaenszelResult,
  mantelHaenszel,
  stratify,
  type TwoByTwo,
} from './mantel-haenszel.js'
export { type MaxTOptions, type MaxTResult, maxT } from './max-t.js'
export { mean, variance } from './moments.js'
export { patientMeans, rowsByPatient } from './patients.js'
export { sampleQuantile } from './quantile.js'
export { resampleIndices, signSource } from './random.js'
export { type SignFlipOptions, type SignFlipResult, signFlipTest } from './sign-flip.js'
export { slope } from './slope.js'
export { type TostOptions, type TostResult, tost } from './tost.js'
export type { Flag, Interval, PatientId } from './types.js'
export { type ShareResult, wilson } from './wilson.js'
