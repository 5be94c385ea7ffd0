import { sampleQuantile } from './quantile.js'
import { slope } from './slope.js'
import type { Interval } from './types.js'

/** What {@link bootstrapTBounds} needs of a bootstrap. */
export interface BootstrapTInput {
  /** The resampled statistics, finite. */
  readonly values: readonly number[]
  /** The standard error of each, by {@link jackknifeError} within the resample; parallel to `values`. */
  readonly errors: readonly number[]
  /** The statistic of the data. */
  readonly estimate: number
  /** Its standard error. */
  readonly error: number
  /** The nominal coverage. */
  readonly level: number
}

// Stands for a t of ±∞, far enough out that no bound comes from it, and still a number to sort and interpolate.
const UNBOUNDED = 1e300

/**
 * Variance-stabilised bootstrap-t bounds. Where the standard error s* of a resample goes with its statistic θ*, as for
 * skewed data, the statistic is studentised on the scale g on which it does not:
 *
 * ```text
 * log s* ≈ c + k (θ* - θ)              least squares over resamples
 * g(x)   = (1 - exp(-k (x - θ))) / k    so that g' ∝ 1 / s
 * t*     = g(θ*) / (s* g'(θ*))
 * bounds = g⁻¹(-s t*_(1 - α)), g⁻¹(-s t*_(α))     α = (1 - level) / 2
 * ```
 *
 * and never beyond the most extreme resamples, so that a share stays within [0, 1].
 *
 * @param input - the resampled statistics with their standard errors
 * @returns `null` where too many resamples, or the data, have no standard error above 0: a median, two or three patients
 * @see Tibshirani 1988, "Variance stabilization and the bootstrap"; Efron & Tibshirani 1993, section 12.6. The trend
 * is a line here where theirs is a smoother.
 */
export function bootstrapTBounds(input: BootstrapTInput): Pick<Interval, 'low' | 'high'> | null {
  const { values, errors, estimate, error, level } = input
  if (!(error > 0)) return null
  // In units of the data's standard error: squares of what is very small would be nothing.
  const distances = values.map((value) => (value - estimate) / error)
  const spreads = errors.map((each) => each / error)
  const isSpread = (spread: number) => spread > 1e-9 // less is the rounding of sums
  const spread = spreads.flatMap((each, i) => (isSpread(each) ? [i] : []))
  if (spread.length === 0) return null
  const trend = slope(
    spread.map((i) => distances[i]!),
    spread.map((i) => Math.log(spreads[i]!)),
  )
  const k = Number.isNaN(trend) ? 0 : trend // all resamples alike
  const t = Float64Array.from(distances, (distance, i) => {
    const step = k === 0 ? distance : Math.expm1(k * distance) / k
    return isSpread(spreads[i]!) ? step / spreads[i]! : Math.sign(step) * UNBOUNDED
  }).sort()
  const tail = (1 - level) / 2
  const [least, most] = [sampleQuantile(t, tail), sampleQuantile(t, 1 - tail)]
  if (!(Math.max(-least, most) < UNBOUNDED / 1e6)) return null

  const [lowest, highest] = [Math.min(...values), Math.max(...values)]
  const bound = (t: number) => {
    const x = k * t
    // At 1 + x ≤ 0 the scale ends: the bound is as far out as any resample.
    const step = k === 0 ? t : x > -1 ? Math.log1p(x) / k : Number.NEGATIVE_INFINITY / k
    return Math.min(highest, Math.max(lowest, estimate - error * step))
  }
  return { low: bound(most), high: bound(least) }
}

/**
 * The jackknife's standard error from leave-one-patient-out statistics θ₍ₚ₎ with mean θ̄, `√((n - 1) / n Σ (θ₍ₚ₎ - θ̄)²)`.
 *
 * @param leaveOneOut - one per patient; those that are not finite are left out
 * @returns NaN for fewer than two
 */
export function jackknifeError(leaveOneOut: readonly number[]): number {
  const values = leaveOneOut.filter(Number.isFinite)
  const n = values.length
  if (n < 2) return Number.NaN
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  // In units of the largest: squares of what is very small would be nothing.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0)
  if (largest === 0) return 0
  const squares = values.reduce((sum, value) => sum + ((value - mean) / largest) ** 2, 0)
  return largest * Math.sqrt(((n - 1) / n) * squares)
}
