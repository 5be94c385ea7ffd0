import {
  type BootstrapMethod,
  type BootstrapResult,
  bootstrap,
  mean,
  type PatientId,
  signFlipTest,
} from '../statistics/index.js'

/** How intervals and tests of effects are made. */
export interface EffectOptions {
  /** Bootstrap resamples and random flips; 2000. */
  readonly resamples?: number | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
  /** The nominal coverage; 0.95. */
  readonly level?: number | undefined
  /** As in `bootstrap`. */
  readonly method?: BootstrapMethod | undefined
}

/** An estimate over patients, with its interval, and a test where there is one. */
export interface EffectEstimate extends BootstrapResult {
  /** Of the sign-flip test; `null` for statistics that are no mean. */
  readonly p: number | null
  /** The seed of resamples and flips. */
  readonly seed: number
}

/**
 * A mean effect with its clustered interval and its sign-flip test.
 *
 * @internal
 */
export function estimateMean(
  values: readonly number[],
  patients: readonly PatientId[],
  options: EffectOptions,
): EffectEstimate {
  const { seed = 0, resamples = 2000 } = options
  const { p } = signFlipTest(values, { patients, seed, resamples })
  return { ...bootstrap({ ...options, rows: values, patients, statistic: mean }), p, seed }
}

/**
 * Any statistic of rows with its clustered interval.
 *
 * @internal
 */
export function estimateOf<Row extends { readonly patient: PatientId }>(
  rows: readonly Row[],
  statistic: (rows: readonly Row[]) => number,
  options: EffectOptions,
): EffectEstimate {
  const patients = rows.map((row) => row.patient)
  return { ...bootstrap({ ...options, rows, patients, statistic }), p: null, seed: options.seed ?? 0 }
}
