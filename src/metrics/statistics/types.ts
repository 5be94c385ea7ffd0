/** Who a picture is of. Pictures of one patient are resampled, flipped and counted together. */
export type PatientId = string | number

/**
 * What a reader must know before trusting a number. Every result lists those that hold, and tests pin each.
 *
 * | flag | meaning |
 * | --- | --- |
 * | `all-equal` | every resample gave the same value: the interval has no width |
 * | `all-zero` | there is no difference at all: p is 1 |
 * | `one-class` | only positives or only negatives: the statistic is NaN |
 * | `one-patient` | nothing can be resampled: the interval is NaN, or p is 1 |
 * | `few-patients` | fewer than 10: prefer the exact sign-flip test to the interval |
 * | `zero-variance` | the standard error is 0: the test answers by the mean alone |
 * | `undefined-estimate` | the statistic of the data is not finite: its interval is NaN |
 * | `undefined-resamples` | some resamples have no statistic: the interval is of the others |
 * | `one-sided-resamples` | every resample lies on one side of the estimate: percentile bounds, not BCa |
 * | `no-standard-error` | too many resamples have a standard error of 0 to studentise: `bca-expanded` bounds instead |
 * | `zero-cells` | 0.5 was added to the cells of some strata |
 * | `empty-strata` | strata without exposed, unexposed, cases or non-cases say nothing and were left out |
 * | `collinear` | a residual is zero up to rounding: nothing is left to correlate |
 * | `clipped-probability` | probabilities of 0 or 1 have no logit and were moved inside |
 * | `constant-dose` | all doses are equal: no slope |
 * | `no-crossing` | the fitted response never crosses the threshold |
 * | `undefined-rows` | some rows have no value and were left out; `n` counts the others |
 */
export type Flag =
  | 'all-equal'
  | 'all-zero'
  | 'one-class'
  | 'one-patient'
  | 'few-patients'
  | 'zero-variance'
  | 'undefined-estimate'
  | 'undefined-resamples'
  | 'one-sided-resamples'
  | 'no-standard-error'
  | 'zero-cells'
  | 'empty-strata'
  | 'collinear'
  | 'clipped-probability'
  | 'constant-dose'
  | 'no-crossing'
  | 'undefined-rows'

/** A confidence interval and how it was made. */
export interface Interval {
  /** The lower bound. */
  readonly low: number
  /** The upper bound. */
  readonly high: number
  /** The nominal coverage, e.g. 0.95. */
  readonly level: number
  /** `'bootstrap-t'`, `'bca'`, `'percentile'`, `'delong'`, `'wald'`, `'t'`, `'wilson'`. */
  readonly method: string
}
