import type { Tensor2D } from '@tensorflow/tfjs'
import type { MetricResult } from '../result.js'
import { frechetDistance } from './frechet.js'
import { featureRows, type GaussianSummary, gaussianOf } from './gaussian.js'

/** Features of a set: all of them, or streamed into a summary. */
export type FeatureInput = Tensor2D | GaussianSummary

/** What the features are, for the report. */
export interface FidOptions {
  /** Network and resize rule, e.g. `'inception-2015-12-05/pytorch-fid'`, `'xrv'`; `'features'` by default. */
  readonly features?: string
}

/** A metric of two sets. */
export interface SetMetricResult extends MetricResult {
  /** Samples in the set that is judged, and in the reference. */
  readonly counts: readonly [images: number, references: number]
}

/**
 * Fréchet inception distance between two sets of features, see {@link frechetDistance}. Over any features: name them.
 *
 * FID is biased upwards at small n, and only comparable at equal n, network, resize rule and file format. With no
 * more samples than features the covariance is singular; the value is still the formula's, and a warning says so:
 * prefer {@link kid}.
 *
 * @param images - `[n, width]` (borrowed), or a summary from `gaussianAccumulator`
 * @param references - likewise
 * @param options - what the features are
 * @returns 0 for equal sets; NaN with a warning when a set has a single sample
 * @throws ShapeError on empty sets or widths that differ, ArgumentError on features that are not finite
 * @see Heusel et al. 2017, "GANs trained by a two time-scale update rule".
 *
 * @example
 * ```ts
 * const { value, warnings } = await fid(featuresOfEdits, featuresOfOriginals, { features: 'xrv' })
 * ```
 */
export async function fid(
  images: FeatureInput,
  references: FeatureInput,
  { features = 'features' }: FidOptions = {},
): Promise<SetMetricResult> {
  const [a, b] = [await summarise(images), await summarise(references)]
  const { value } = frechetDistance(a, b)
  const warnings: string[] = []
  for (const [name, { n, width }] of Object.entries({ images: a, references: b })) {
    if (n < 2) warnings.push(`${name}: a single sample has no covariance, so FID is undefined`)
    else if (n <= width)
      warnings.push(`${name}: ${n} samples of ${width} features leave the covariance singular; prefer KID`)
  }
  return {
    metric: 'fid',
    dialect: features,
    range: null,
    n: a.n,
    counts: [a.n, b.n],
    value,
    perImage: null,
    warnings,
  }
}

async function summarise(input: FeatureInput): Promise<GaussianSummary> {
  if ('factor' in input) return input
  return gaussianOf(await featureRows(input, 'fid'), input.shape[1])
}
