import { bootstrap, mean } from '../../metrics/index.js'

/** One edit's sensitivity, and the picture that it was made of. */
export interface SensitivityRow {
  /** Edits of one picture are resampled together. */
  readonly picture: string
  /** From `sensitivity`. */
  readonly sensitivity: number
}

/** How intervals are made. */
export interface IntervalOptions {
  /** Bootstrap resamples; 2000. */
  readonly resamples?: number
  /** Of the resampling; 0. */
  readonly seed?: number
  /** Coverage; 0.95. */
  readonly level?: number
}

/** A mean sensitivity and how sure it is. */
export interface MeanSensitivity {
  /** Over all edits. */
  readonly mean: number
  /** Of the mean, by resampling whole pictures; `null` where there is none, see `flags`. */
  readonly interval: readonly [low: number, high: number] | null
  /** How many edits. */
  readonly edits: number
  /** Of how many pictures. */
  readonly pictures: number
  /** What to know of the interval: `'one-patient'`, `'few-patients'`, `'all-equal'`, … */
  readonly flags: readonly string[]
}

/**
 * The mean sensitivity of a model under test to some edits, with an interval that knows which edits share a picture.
 *
 * @param rows - at least one
 * @param options - of the bootstrap
 * @throws ArgumentError without rows
 */
export function meanSensitivity(
  rows: readonly SensitivityRow[],
  options: IntervalOptions = {},
): MeanSensitivity {
  const { estimate, interval, flags, patients } = bootstrap({
    rows: rows.map(({ sensitivity }) => sensitivity),
    patients: rows.map(({ picture }) => picture),
    statistic: mean,
    ...options,
  })
  const { low, high } = interval
  return {
    mean: estimate,
    interval: Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null,
    edits: rows.length,
    pictures: patients,
    flags,
  }
}
