import { expectFinite } from './check.js'
import { normalCdf, normalQuantile, studentTQuantile } from './distributions.js'
import { isConstant } from './moments.js'
import { sampleQuantile } from './quantile.js'
import type { Flag } from './types.js'

/** What {@link bcaBounds} needs of a bootstrap. */
export interface BcaInput {
  /** The resampled statistics, finite and ascending. */
  readonly sorted: Float64Array
  /** The statistic of the data. */
  readonly estimate: number
  /** The nominal coverage. */
  readonly level: number
  /** Rows of each patient: with unequal ones the data are worth fewer patients than they have. */
  readonly sizes: readonly number[]
  /** The statistic without each patient in turn; called only where it is needed. */
  readonly leaveOneOut: () => readonly number[]
}

/** Bounds, and what they turned out to be. */
export interface BcaBounds {
  /** The lower bound. */
  readonly low: number
  /** The upper bound. */
  readonly high: number
  /** `'percentile'` where BCa is undefined. */
  readonly method: 'bca' | 'bca-expanded' | 'percentile'
  /** Why it is undefined, if it is. */
  readonly flags: readonly Flag[]
}

/**
 * Bias-corrected and accelerated bounds from resampled statistics:
 *
 * ```text
 * z0   = Φ⁻¹( (#{θ* < θ} + ½ #{θ* = θ}) / B )
 * α(z) = Φ( z0 + (z0 + z) / (1 - a (z0 + z)) )     z = ± Φ⁻¹((1 + level) / 2)
 * ```
 *
 * and the bounds are the α quantiles of θ*. Expanded, z is `√(n / (n - 1)) t` with t the quantile of Student's t with
 * n - 1 degrees of freedom: the normal-theory answer to resampling few patients (Hesterberg 2015), where n is
 * Kish's effective number of patients, `(Σ k)² / Σ k²` for patients with k rows.
 *
 * @param input - the resampled statistics
 * @param expanded - widen for few patients
 * @see Efron 1987, equation 2.3; ties count half, as in scipy.
 */
export function bcaBounds(input: BcaInput, expanded = false): BcaBounds {
  const { sorted, estimate, level } = input
  const below = sorted.reduce((sum, value) => sum + (value < estimate ? 1 : value === estimate ? 0.5 : 0), 0)
  const tail = (1 - level) / 2
  if (below === 0 || below === sorted.length) {
    const [low, high] = [sampleQuantile(sorted, tail), sampleQuantile(sorted, 1 - tail)]
    return { low, high, method: 'percentile', flags: ['one-sided-resamples'] }
  }
  const z0 = normalQuantile(below / sorted.length)
  const without = input.leaveOneOut()
  const usable = without.filter(Number.isFinite)
  const a = usable.length > 1 ? acceleration(usable) : 0
  const reach = expanded ? expandedQuantile(1 - tail, input.sizes) : normalQuantile(1 - tail)
  const bound = (z: number) => {
    const left = 1 - a * (z0 + z)
    // Beyond the pole the transformation has run off to infinity: the most extreme resample is the bound.
    const moved = left > 0 ? z0 + (z0 + z) / left : Math.sign(z0 + z) * Number.POSITIVE_INFINITY
    return sampleQuantile(sorted, normalCdf(moved))
  }
  return {
    low: bound(-reach),
    high: bound(reach),
    method: expanded ? 'bca-expanded' : 'bca',
    flags: usable.length < without.length ? ['undefined-resamples'] : [],
  }
}

function expandedQuantile(p: number, sizes: readonly number[]): number {
  const rows = sizes.reduce((sum, k) => sum + k, 0)
  const n = rows ** 2 / sizes.reduce((sum, k) => sum + k ** 2, 0)
  return Math.sqrt(n / (n - 1)) * studentTQuantile(p, n - 1)
}

/**
 * The acceleration of BCa from leave-one-patient-out statistics θ₍ₚ₎ with mean θ̄:
 * `a = Σ (θ̄ - θ₍ₚ₎)³ / (6 [Σ (θ̄ - θ₍ₚ₎)²]^{3/2})`.
 *
 * @param leaveOneOut - finite, at least one
 * @returns 0 when all are equal
 * @throws ArgumentError on an empty or not finite list
 */
export function acceleration(leaveOneOut: readonly number[]): number {
  expectFinite(leaveOneOut, 'acceleration', 'leaveOneOut')
  if (isConstant(leaveOneOut)) return 0
  const centre = leaveOneOut.reduce((sum, value) => sum + value, 0) / leaveOneOut.length
  const moment = (power: number) => leaveOneOut.reduce((sum, value) => sum + (centre - value) ** power, 0)
  return moment(3) / (6 * moment(2) ** 1.5)
}
