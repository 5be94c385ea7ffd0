import type { Tensor2D } from '@tensorflow/tfjs'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { ArgumentError, expectNumber, ShapeError } from '../../core/index.js'
import { average } from '../result.js'
import { dot } from './factor.js'
import type { SetMetricResult } from './fid.js'
import { featureRows } from './gaussian.js'

/** Which estimate of MMD², on which subsets. */
export interface KidOptions {
  /**
   * `'unbiased'` leaves out the diagonals within the sets; `'u-statistic'` that between them as well;
   * `'biased'` leaves out nothing, and so is never negative. `'unbiased'` by default.
   */
  readonly estimator?: 'unbiased' | 'u-statistic' | 'biased'
  /** How many subsets are averaged; 100. */
  readonly subsets?: number
  /** Samples per subset, drawn without replacement from each set; 1000, or the smaller set. */
  readonly subsetSize?: number
  /** A whole number; 0. */
  readonly seed?: number
  /** What the features are, for the report; `'features'`. */
  readonly features?: string
}

/** KID with what its subsets say of its spread. */
export interface KidResult extends SetMetricResult {
  /** The population standard deviation over subsets; 0 when the whole sets are the only subset. */
  readonly deviation: number
  /** Samples per subset and subsets that were used. */
  readonly subsets: readonly [count: number, size: number]
  /** The seed of the subsets. */
  readonly seed: number
}

/**
 * Kernel inception distance: the squared maximum mean discrepancy under `k(x, y) = (x·y / d + 1)³`, averaged over
 * seeded subsets. Small negative values are legitimate: the unbiased estimate scatters about 0 for equal
 * distributions.
 *
 * When a subset would be the whole of both sets, that one subset is used, and the result has no randomness.
 *
 * @param images - `[n, width]`, borrowed
 * @param references - `[m, width]`, borrowed
 * @param options - estimator, subsets, seed
 * @throws ShapeError on empty sets or widths that differ, ArgumentError on options or features out of bounds
 * @see Bińkowski et al. 2018, "Demystifying MMD GANs", section 4.
 *
 * @example
 * ```ts
 * const { value, deviation } = await kid(featuresOfEdits, featuresOfOriginals, { seed: 7 })
 * ```
 */
export async function kid(
  images: Tensor2D,
  references: Tensor2D,
  options: KidOptions = {},
): Promise<KidResult> {
  const {
    estimator = 'unbiased',
    subsets = 100,
    subsetSize = 1000,
    seed = 0,
    features = 'features',
  } = options
  expectNumber(subsets, { min: 1, integer: true }, 'kid', 'subsets')
  expectNumber(subsetSize, { min: 2, integer: true }, 'kid', 'subsetSize')
  expectNumber(seed, { min: 0, max: 2 ** 32 - 1, integer: true }, 'kid', 'seed')
  expectEstimator(estimator)
  const x = await featureRows(images, 'kid')
  const y = await featureRows(references, 'kid')
  expectSets(images, references)

  const size = Math.min(subsetSize, x.length, y.length)
  const whole = size === x.length && size === y.length
  const random = xoroshiro128plus(seed | 0)
  const values = Array.from({ length: whole ? 1 : subsets }, () => {
    const take = (rows: Float64Array[]) =>
      whole ? rows : choose(rows, size, (max) => uniformInt(random, 0, max))
    return mmd(take(x), take(y), estimator)
  })
  const value = average(values)
  const warnings = size < 2 ? ['a subset of one sample has no estimate: KID is undefined'] : []
  return {
    metric: 'kid',
    dialect: `${estimator}/${features}`,
    range: null,
    n: x.length,
    counts: [x.length, y.length],
    value,
    perImage: null,
    warnings,
    deviation: Math.sqrt(average(values.map((one) => (one - value) ** 2))),
    subsets: [values.length, size],
    seed,
  }
}

function mmd(x: Float64Array[], y: Float64Array[], estimator: NonNullable<KidOptions['estimator']>): number {
  const m = x.length
  const kernel = (a: Float64Array, b: Float64Array) => (dot(a, b) / a.length + 1) ** 3
  let [within, diagonals, between, trace] = [0, 0, 0, 0]
  for (let i = 0; i < m; i++) {
    diagonals += kernel(x[i]!, x[i]!) + kernel(y[i]!, y[i]!)
    for (let j = 0; j < i; j++) within += 2 * (kernel(x[i]!, x[j]!) + kernel(y[i]!, y[j]!))
    for (let j = 0; j < m; j++) between += kernel(x[i]!, y[j]!)
    trace += kernel(x[i]!, y[i]!)
  }
  if (estimator === 'biased') return (within + diagonals - 2 * between) / m ** 2
  if (m < 2) return Number.NaN
  if (estimator === 'unbiased') return within / (m * (m - 1)) - (2 * between) / m ** 2
  return (within - 2 * (between - trace)) / (m * (m - 1))
}

/** `size` of the rows without replacement: the first steps of a Fisher-Yates shuffle. */
function choose(rows: Float64Array[], size: number, upTo: (max: number) => number): Float64Array[] {
  const pool = [...rows]
  for (let i = 0; i < size; i++) {
    const j = i + upTo(pool.length - 1 - i)
    ;[pool[i], pool[j]] = [pool[j]!, pool[i]!]
  }
  return pool.slice(0, size)
}

function expectEstimator(estimator: string): void {
  if (['unbiased', 'u-statistic', 'biased'].includes(estimator)) return
  throw new ArgumentError({
    rule: "kid needs estimator to be 'unbiased', 'u-statistic' or 'biased'",
    got: JSON.stringify(estimator),
    mend: "torch-fidelity's and clean-fid's default is 'unbiased'.",
  })
}

function expectSets(images: Tensor2D, references: Tensor2D): void {
  if (images.shape[1] === references.shape[1]) return
  throw new ShapeError({
    rule: 'kid needs features of one width',
    got: `${images.shape[1]} and ${references.shape[1]}`,
    mend: 'Take both sets through the same feature function.',
  })
}
