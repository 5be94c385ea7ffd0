import { ArgumentError } from '../../core/index.js'
import type { MetricResult } from '../result.js'
import { expectSameLength } from '../statistics/check.js'
import { type BootstrapMethod, bootstrap, type Flag, mean, type PatientId } from '../statistics/index.js'
import { type Report, report } from './report.js'

/** Whose pictures they are, and how to resample them. */
export interface ReportMetricOptions {
  /** One id per picture; absent, every picture is a patient of its own. */
  readonly patients?: readonly PatientId[] | undefined
  /** Bootstrap resamples; 2000. */
  readonly resamples?: number | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
  /** The nominal coverage; 0.95. */
  readonly level?: number | undefined
  /** As in `bootstrap`. */
  readonly method?: BootstrapMethod | undefined
  /** The first columns of a table. */
  readonly labels?: Report['labels'] | undefined
}

/**
 * A metric's result as a report: its mean over pictures with the interval over patients. A metric of whole sets
 * (FID) has no value per picture, and its report no interval.
 *
 * @param result - of any metric of this room
 * @param options - patients, resamples, seed, level, labels
 * @returns pictures without a value (a direction that is undefined) are left out, counted and flagged
 * @throws ArgumentError when there is not one patient per picture
 */
export function reportMetric(result: MetricResult, options: ReportMetricOptions = {}): Report {
  const { seed = 0, labels = {} } = options
  const { metric, dialect, range, warnings } = result
  const common = { metric, dialect, range, warnings, labels }
  if (result.perImage === null) return report({ ...common, n: result.n, estimate: result.value })

  const { perImage, patients } = { perImage: result.perImage, patients: options.patients }
  if (patients) expectSameLength(perImage, patients, 'reportMetric', 'pictures and patients')
  const kept = perImage.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]))
  const missing: Flag[] = kept.length < perImage.length ? ['undefined-rows'] : []
  if (kept.length === 0) return report({ ...common, n: 0, estimate: Number.NaN, flags: missing })
  const infinite = perImage.findIndex((value) => !Number.isFinite(value) && !Number.isNaN(value))
  if (infinite >= 0) throw unbounded(metric, infinite)
  const { estimate, interval, flags, ...counts } = bootstrap({
    ...options,
    rows: kept.map((i) => perImage[i]!),
    patients: patients && kept.map((i) => patients[i]!),
    statistic: mean,
  })
  return report({
    ...common,
    estimate,
    interval,
    n: counts.n,
    patients: counts.patients,
    seed,
    flags: [...flags, ...missing],
  })
}

function unbounded(metric: string, picture: number): ArgumentError {
  return new ArgumentError({
    rule: `reportMetric needs bounded values, for a mean has none otherwise`,
    got: `an infinite ${metric} at picture ${picture}`,
    mend: 'PSNR of equal pictures is infinite: report the mean squared error, or leave those pictures out by name.',
  })
}
