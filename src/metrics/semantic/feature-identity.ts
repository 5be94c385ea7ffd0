import { expectNumber } from '../../core/index.js'
import { expectPairs, pixelRange, readPairs } from '../images.js'
import type { FeatureFunction } from '../networks/feature-network.js'
import { type PairMetric, pairMetric } from '../result.js'
import { meanOfDefined } from './defined.js'
import { cosine, unitRows } from './embedder.js'

/** What identity is measured with. */
export interface FeatureIdentityOptions {
  /** What the features are, for the report; `'features'`. */
  readonly features?: string
  /** With a threshold, the value is the share of pairs whose cosine exceeds it (FVA, with 0.5). */
  readonly threshold?: number
}

/**
 * Identity by features: the cosine of each pair's feature vectors, or the share of pairs above a threshold.
 *
 * Faces have ArcFace; radiographs have nothing of the kind. Use a patient re-identification network, or the features
 * of `xrvDenseNet`, and say which.
 *
 * @param features - any feature function; borrowed
 * @param options - its name, and a threshold
 * @returns a metric of pairs of pictures in [0, 1]; `perImage` has the cosines in both forms
 * @throws ArgumentError on a threshold outside [−1, 1]
 *
 * @example
 * ```ts
 * const identity = featureIdentity(xrv.features, { features: xrv.name })
 * const { value } = await identity(edited, originals)
 * ```
 */
export function featureIdentity(
  features: FeatureFunction,
  { features: name = 'features', threshold }: FeatureIdentityOptions = {},
): PairMetric {
  const where = 'featureIdentity'
  if (threshold !== undefined) expectNumber(threshold, { min: -1, max: 1 }, where, 'threshold')
  const metric = threshold === undefined ? 'feature-cosine' : 'feature-verification'
  const dialect = threshold === undefined ? name : `${name}/cosine>${threshold}`
  const range = pixelRange({}, where)
  const traits = { metric, dialect, range, identity: 1, symmetric: true, better: 'higher' } as const
  return pairMetric(traits, async (images, references) => {
    expectPairs(images, references, where)
    await readPairs(images, references, range, where)
    const n = images.shape[0]
    const a = await unitRows(features(images), n, where)
    const b = await unitRows(features(references), n, where)
    const cosines = a.map((row, i) => cosine(row, b[i]!))
    const result = meanOfDefined({ metric, dialect }, cosines, 'a feature vector of zeros')
    if (threshold === undefined) return { ...result, range }
    const defined = cosines.filter((c) => !Number.isNaN(c))
    return { ...result, range, value: defined.filter((c) => c > threshold).length / defined.length }
  })
}
