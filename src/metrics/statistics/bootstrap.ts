import { expectNumber } from '../../core/index.js'
import { type BcaInput, bcaBounds } from './bca.js'
import { bootstrapTBounds, jackknifeError } from './bootstrap-t.js'
import { expectLevel } from './check.js'
import { isConstant } from './moments.js'
import { patientStatistic } from './patient-statistic.js'
import { rowsByPatient } from './patients.js'
import { sampleQuantile } from './quantile.js'
import { resampleIndices } from './random.js'
import type { Flag, Interval, PatientId } from './types.js'

/**
 * How bounds come from resamples.
 *
 * | method | bounds |
 * | --- | --- |
 * | `bootstrap-t` | studentised on a variance-stabilised scale, {@link bootstrapTBounds}: covers for skewed data of tens of patients |
 * | `bca` | Efron's, corrected for bias and skewness, {@link bcaBounds}; scipy's. Too narrow for tens of patients |
 * | `bca-expanded` | BCa widened for few patients by Student's t; for medians and other statistics that move in steps |
 * | `percentile` | the quantiles as they are. Too narrow for tens of patients |
 */
export type BootstrapMethod = 'bootstrap-t' | 'bca' | 'bca-expanded' | 'percentile'

// Each patient is left out of each resample: up to here that is some tens of thousands of statistics.
const MOST_STUDENTISED = 60

/** What is resampled, and how. */
export interface BootstrapOptions<Row> {
  /** One entry per picture (or pair of pictures, or case): whatever `statistic` reads. */
  readonly rows: readonly Row[]
  /** Whose each row is; absent, every row is a patient of its own. */
  readonly patients?: readonly PatientId[] | undefined
  /** The number of interest of any multiset of rows; not finite where it is undefined. */
  readonly statistic: (rows: readonly Row[]) => number
  /** How many resamples, or the resamples themselves as indices into the patients in order of appearance; 2000. */
  readonly resamples?: number | readonly (readonly number[])[] | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
  /** The nominal coverage; 0.95. */
  readonly level?: number | undefined
  /** `'bootstrap-t'` up to 60 patients; beyond, where its cost grows and its gain is gone, `'bca-expanded'`. */
  readonly method?: BootstrapMethod | undefined
}

/** A statistic with its bootstrap interval. */
export interface BootstrapResult {
  /** The statistic of the data themselves. */
  readonly estimate: number
  /** NaN bounds where there is none; see `flags`. */
  readonly interval: Interval
  /** The standard deviation of the resampled statistics. */
  readonly standardError: number
  /** How many resamples had a statistic. */
  readonly resamples: number
  /** Rows. */
  readonly n: number
  /** Patients. */
  readonly patients: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * The patient-clustered bootstrap: whole patients are drawn with replacement, each with all of its rows.
 *
 * With B resampled statistics `θ*` the percentile bounds are their `(1 ∓ level) / 2` quantiles; BCa takes other
 * quantiles of the same values, and bootstrap-t those of `(θ* - θ) / s*`. Coverage is measured in `docs/statistics.md`.
 * With n patients the statistic is asked B times; BCa asks n times more, bootstrap-t about 0.63 n B times.
 *
 * ```ts
 * const { estimate, interval } = bootstrap({ rows: effects, patients, statistic: mean, seed: 7 })
 * ```
 *
 * @param options - the rows, their patients, and the statistic
 * @returns degenerate data are flagged: one patient, no statistic, resamples that are all equal
 * @throws ArgumentError on no rows, lists of different lengths, a level outside (0, 1), or indices out of range
 * @see Efron & Tibshirani 1993, chapters 12 to 14; Efron 1987, "Better bootstrap confidence intervals"; Davison & Hinkley 1997, section 3.8 for clusters.
 */
export function bootstrap<Row>(options: BootstrapOptions<Row>): BootstrapResult {
  const { rows, statistic, resamples = 2000, seed = 0, level = 0.95 } = options
  expectLevel(level, 'bootstrap')
  const groups = rowsByPatient(options.patients, rows.length, 'bootstrap')
  const draws =
    typeof resamples === 'number'
      ? resampleIndices(groups.length, resamples, seed)
      : checked(resamples, groups)

  const method = options.method ?? (groups.length <= MOST_STUDENTISED ? 'bootstrap-t' : 'bca-expanded')
  const estimate = statistic(rows)
  const { of, leaveOneOut } = patientStatistic(rows, groups, statistic)
  const all = draws.map(of)
  const sorted = Float64Array.from(all.filter(Number.isFinite)).sort()
  const common = { estimate, n: rows.length, patients: groups.length, resamples: sorted.length }

  const flags: Flag[] = []
  if (groups.length === 1) flags.push('one-patient')
  else if (groups.length < 10) flags.push('few-patients')
  if (sorted.length < all.length) flags.push('undefined-resamples')
  if (!Number.isFinite(estimate)) flags.push('undefined-estimate')
  const nothing = { low: Number.NaN, high: Number.NaN, level, method }
  if (groups.length === 1 || sorted.length === 0 || !Number.isFinite(estimate)) {
    return { ...common, interval: nothing, standardError: Number.NaN, flags }
  }
  const standardError = deviation(sorted)
  if (isConstant(sorted)) {
    const interval = { low: sorted[0]!, high: sorted.at(-1)!, level, method }
    return { ...common, interval, standardError, flags: [...flags, 'all-equal'] }
  }
  const everyone = groups.map((_, patient) => patient)
  const sizes = groups.map((rows) => rows.length)
  const input: BcaInput = { sorted, estimate, level, sizes, leaveOneOut: () => leaveOneOut(everyone) }
  const studentised = () => {
    const defined = all.flatMap((value, i) => (Number.isFinite(value) ? [i] : []))
    const errorOf = (draw: readonly number[]) => jackknifeError(leaveOneOut(draw))
    const values = defined.map((i) => all[i]!)
    const errors = defined.map((i) => errorOf(draws[i]!))
    const found = bootstrapTBounds({ values, errors, estimate, error: errorOf(everyone), level })
    if (found) return { ...found, method, flags: [] as const }
    const { flags, ...instead } = bcaBounds(input, true)
    return { ...instead, flags: [...flags, 'no-standard-error' as const] }
  }
  const bounds =
    method === 'bootstrap-t'
      ? studentised()
      : method === 'percentile'
        ? percentileBounds(input)
        : bcaBounds(input, method === 'bca-expanded')
  return {
    ...common,
    interval: { low: bounds.low, high: bounds.high, level, method: bounds.method },
    standardError,
    flags: [...new Set([...flags, ...bounds.flags])],
  }
}

function percentileBounds({ sorted, level }: BcaInput) {
  const tail = (1 - level) / 2
  const [low, high] = [sampleQuantile(sorted, tail), sampleQuantile(sorted, 1 - tail)]
  return { low, high, method: 'percentile', flags: [] as const }
}

function deviation(values: Float64Array): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

function checked(draws: readonly (readonly number[])[], groups: readonly unknown[]) {
  expectNumber(draws.length, { min: 1 }, 'bootstrap', 'the number of resamples')
  for (const draw of draws) {
    expectNumber(draw.length, { min: 1 }, 'bootstrap', 'the patients of a resample')
    for (const patient of draw) {
      expectNumber(patient, { min: 0, max: groups.length - 1, integer: true }, 'bootstrap', 'a patient index')
    }
  }
  return draws
}
