import { ArgumentError, expectNumber } from '../../core/index.js'
import { expectFinite } from './check.js'
import { rowsByPatient } from './patients.js'
import { signSource } from './random.js'
import type { Flag, PatientId } from './types.js'

/** How to flip. */
export interface SignFlipOptions {
  /** Whose each difference is; absent, every one is a patient of its own. */
  readonly patients?: readonly PatientId[] | undefined
  /** What would count against the null; `'two-sided'`. */
  readonly alternative?: 'two-sided' | 'greater' | 'less' | undefined
  /** Random flips where there are too many to list; 9999. */
  readonly resamples?: number | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
  /** List every flip; true up to 20 patients, and an error beyond. */
  readonly exact?: boolean | undefined
}

/** The answer of {@link signFlipTest}. */
export interface SignFlipResult {
  /** The mean difference over rows. */
  readonly statistic: number
  /** Never 0: the data are one of their own flips. */
  readonly p: number
  /** Whether every flip was counted. */
  readonly exact: boolean
  /** How many flips were compared, the data among them. */
  readonly flips: number
  /** Patients. */
  readonly patients: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * The paired permutation test of a mean difference: under the null each patient's differences may change sign
 * together.
 *
 * `T = mean d`. Exact, `p = #{T* ≥ T} / 2^patients` over all flips; Monte Carlo, `p = (1 + #{T* ≥ T}) / (1 + B)`.
 * Two-sided compares |T|. Ties within rounding count as equal.
 *
 * ```ts
 * signFlipTest([0.02, 0.11, -0.03, 0.07, 0.15, 0.01, 0.09, 0.3, -0.02, 0.05]).p // 26 / 1024
 * ```
 *
 * @param differences - edited minus base, finite, one per row
 * @param options - patients, alternative, and how many flips
 * @throws ArgumentError on no or not finite differences, lists of different lengths, or `exact` beyond 20 patients
 * @see Phipson & Smyth 2010 for the 1 + of the Monte Carlo p-value.
 */
export function signFlipTest(differences: readonly number[], options: SignFlipOptions = {}): SignFlipResult {
  const { alternative = 'two-sided', resamples = 9999, seed = 0 } = options
  expectFinite(differences, 'signFlipTest', 'differences')
  expectNumber(resamples, { min: 1, integer: true }, 'signFlipTest', 'resamples')
  const sums = rowsByPatient(options.patients, differences.length, 'signFlipTest').map((rows) =>
    rows.reduce((sum, row) => sum + differences[row]!, 0),
  )
  const exact = options.exact ?? sums.length <= 20
  if (exact && sums.length > 20) throw tooMany(sums.length)

  const total = sums.reduce((sum, value) => sum + value, 0)
  const slack = 1e-12 * sums.reduce((sum, value) => sum + Math.abs(value), 0)
  const side = alternative === 'less' ? -1 : 1
  const size = alternative === 'two-sided' ? Math.abs : (sum: number) => side * sum
  const asExtreme = (sum: number) => size(sum) >= size(total) - slack

  const common = { statistic: total / differences.length, patients: sums.length, flags: flagsOf(sums) }
  if (exact) {
    const flips = 2 ** sums.length
    return { ...common, p: countExact(sums, asExtreme) / flips, exact, flips }
  }
  const draw = signSource(seed, 'signFlipTest')
  const signs = new Int8Array(sums.length)
  let count = 1
  for (let i = 0; i < resamples; i++) {
    draw(signs)
    if (asExtreme(sums.reduce((sum, value, patient) => sum + value * signs[patient]!, 0))) count++
  }
  return { ...common, p: count / (1 + resamples), exact, flips: resamples + 1 }
}

// Every flip is a flip of the first half and one of the second: two short lists instead of 2^20 long sums.
function countExact(sums: readonly number[], asExtreme: (sum: number) => boolean): number {
  const half = sums.length >> 1
  const [first, second] = [flippedSums(sums.slice(0, half)), flippedSums(sums.slice(half))]
  let count = 0
  for (const a of first) for (const b of second) if (asExtreme(a + b)) count++
  return count
}

function flippedSums(values: readonly number[]): number[] {
  return values.reduce<number[]>((sums, value) => sums.flatMap((sum) => [sum + value, sum - value]), [0])
}

function flagsOf(sums: readonly number[]): Flag[] {
  const flags: Flag[] = []
  if (sums.length === 1) flags.push('one-patient')
  if (sums.every((sum) => sum === 0)) flags.push('all-zero')
  return flags
}

function tooMany(patients: number): ArgumentError {
  return new ArgumentError({
    rule: 'signFlipTest lists every flip of at most 20 patients',
    got: `${patients} patients`,
    mend: 'Leave exact out for random flips.',
  })
}
