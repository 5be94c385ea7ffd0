import { ArgumentError } from '../../core/index.js'
import { expectLevel } from './check.js'
import { studentTCdf, studentTQuantile } from './distributions.js'
import { mean, variance } from './moments.js'
import { patientMeans } from './patients.js'
import type { Flag, Interval, PatientId } from './types.js'

/** What counts as equivalent. */
export interface TostOptions {
  /** Differences inside these bounds do not matter; a number m means [-m, m]. */
  readonly margin: number | readonly [number, number]
  /** Whose each difference is; absent, every one is a patient of its own. */
  readonly patients?: readonly PatientId[] | undefined
  /** The chance of calling what matters equivalent; 0.05. */
  readonly alpha?: number | undefined
}

/** The answer of {@link tost}. */
export interface TostResult {
  /** The mean over patients. */
  readonly mean: number
  /** The larger of the two one-sided p-values. */
  readonly p: number
  /** Of "the mean is at or below the lower margin". */
  readonly pLower: number
  /** Of "the mean is at or above the upper margin". */
  readonly pUpper: number
  /** Whether p ≤ alpha: the data show that the difference does not matter. */
  readonly equivalent: boolean
  /** At level 1 - 2 alpha: equivalence is this interval inside the margin. */
  readonly interval: Interval
  /** Patients. */
  readonly patients: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * Two one-sided tests: the claim "does not move it" needs evidence of its own; a large p-value of a difference is
 * none.
 *
 * With n patients' means d, `t = (d̄ - bound) / (s / √n)` against Student's t with n - 1 degrees of freedom, once
 * for each bound; equivalent when both reject.
 *
 * @param differences - finite, one per row
 * @param options - the margin, patients, alpha
 * @returns with zero variance p is 0 inside the margin and 1 outside, flagged; with one patient NaN, not equivalent
 * @throws ArgumentError on a margin whose lower bound is not below its upper one, or values that are not finite
 * @see Schuirmann 1987.
 */
export function tost(differences: readonly number[], options: TostOptions): TostResult {
  const { alpha = 0.05 } = options
  const [low, high] = marginOf(options.margin)
  expectLevel(1 - 2 * alpha, 'tost')
  const values = patientMeans(differences, options.patients, 'tost')
  const [n, centre] = [values.length, mean(values)]
  const common = { mean: centre, patients: n }
  const level = 1 - 2 * alpha
  if (n === 1) {
    const interval = { low: Number.NaN, high: Number.NaN, level, method: 't' }
    const none = { p: Number.NaN, pLower: Number.NaN, pUpper: Number.NaN, equivalent: false }
    return { ...common, ...none, interval, flags: ['one-patient'] }
  }
  const error = Math.sqrt(variance(values) / n)
  const [pLower, pUpper] = [upperTail(centre - low, error, n - 1), upperTail(high - centre, error, n - 1)]
  const p = Math.max(pLower, pUpper)
  const reach = error === 0 ? 0 : studentTQuantile(1 - alpha, n - 1) * error
  return {
    ...common,
    p,
    pLower,
    pUpper,
    equivalent: p <= alpha,
    interval: { low: centre - reach, high: centre + reach, level, method: 't' },
    flags: error === 0 ? ['zero-variance'] : [],
  }
}

// P(T ≥ t) as the lower tail of -t, which keeps its digits.
function upperTail(distance: number, error: number, df: number): number {
  if (error === 0) return distance > 0 ? 0 : 1
  return studentTCdf(-distance / error, df)
}

function marginOf(margin: TostOptions['margin']): readonly [number, number] {
  const [low, high] = typeof margin === 'number' ? [-margin, margin] : margin
  if (low < high && Number.isFinite(low) && Number.isFinite(high)) return [low, high]
  throw new ArgumentError({
    rule: 'tost needs a margin with a lower bound below its upper one',
    got: `[${low}, ${high}]`,
    mend: 'Pass the largest difference that does not matter, for instance the width of the sham edit.',
  })
}
