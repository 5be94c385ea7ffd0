import { ArgumentError } from '../../core/index.js'
import type { Flag, Interval } from '../statistics/index.js'
import { libraryVersion } from './version.js'

/** One number with everything that is needed to read it, compare it, and make it again. */
export interface Report {
  /** What was computed: `'ssim'`, `'cpg'`, `'average effect'`. */
  readonly metric: string
  /** Whose definition of it: `'wang2004'`. */
  readonly dialect: string
  /** The range of the pixels or values read; `null` where there is none. */
  readonly range: readonly [number, number] | null
  /** Rows: pictures or pairs. */
  readonly n: number
  /** The independent units; `null` where nobody said. */
  readonly patients: number | null
  /** The number; NaN where it is undefined, and `flags` says why. */
  readonly estimate: number
  /** How sure; `null` where it was not computed. */
  readonly interval: Interval | null
  /** Of the test that goes with it; `null` where there is none. */
  readonly p: number | null
  /** Of whatever was random; `null` where nothing was. */
  readonly seed: number | null
  /** Of this library. */
  readonly version: string
  /** What the reader must know. */
  readonly flags: readonly Flag[]
  /** The same in words, from metrics. */
  readonly warnings: readonly string[]
  /** Which method, intervention, measurement, … this is: the first columns of a table. */
  readonly labels: Readonly<Record<string, string | number | boolean>>
}

/** What a report must be given; the rest has the defaults of {@link report}. */
export type ReportInput = Pick<Report, 'metric' | 'dialect' | 'n' | 'estimate'> &
  Partial<Omit<Report, 'version'>>

/**
 * Makes a report: the given fields, `null` or empty for the others, and the library's version.
 *
 * ```ts
 * const { estimate, interval, n, patients, flags } = bootstrap({ rows, statistic: mean, seed: 1 })
 * report({ metric: 'l1', dialect: 'mean', range: [0, 1], estimate, interval, n, patients, flags, seed: 1 })
 * ```
 *
 * @param input - borrowed; copied
 * @returns frozen plain data
 * @throws ArgumentError on an empty metric or dialect, or a count that is no whole number
 */
export function report(input: ReportInput): Report {
  const { metric, dialect, n } = input
  if (!metric || !dialect || !Number.isInteger(n) || n < 0) {
    throw new ArgumentError({
      rule: 'report needs a metric, a dialect and a count',
      got: JSON.stringify({ metric, dialect, n }),
      mend: 'A number without its definition cannot be compared with another.',
    })
  }
  return Object.freeze({
    metric,
    dialect,
    range: input.range ?? null,
    n,
    patients: input.patients ?? null,
    estimate: input.estimate,
    interval: input.interval ?? null,
    p: input.p ?? null,
    seed: input.seed ?? null,
    version: libraryVersion,
    flags: [...(input.flags ?? [])],
    warnings: [...(input.warnings ?? [])],
    labels: { ...input.labels },
  })
}
