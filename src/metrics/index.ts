/**
 * Images to numbers, and the statistics of those numbers. Every metric is one function usable alone; every result
 * says whose definition it is, on what range, from how many.
 *
 * @packageDocumentation
 */
export { fid, type FeatureInput, type FidOptions, type SetMetricResult } from './distribution/fid.js'
export { type FrechetDistance, frechetDistance } from './distribution/frechet.js'
export {
  type GaussianAccumulator,
  type GaussianSummary,
  gaussianAccumulator,
} from './distribution/gaussian.js'
export { type KidOptions, type KidResult, kid } from './distribution/kid.js'
export type { PixelRange, RangeOption } from './images.js'
export { type MsSsimOptions, msSsim } from './perceptual/ms-ssim.js'
export { type SsimDialect, type SsimOptions, ssim } from './perceptual/ssim.js'
export { l1 } from './pixel/l1.js'
export { mse } from './pixel/mse.js'
export { type PsnrOptions, psnr } from './pixel/psnr.js'
export type { MetricResult, PairMetric, PairMetricTraits } from './result.js'
export * from './statistics/index.js'
