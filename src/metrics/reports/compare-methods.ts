import { ArgumentError } from '../../core/index.js'
import { expectFinite } from '../statistics/check.js'
import {
  type BootstrapMethod,
  bootstrap,
  type Flag,
  holm,
  type Interval,
  mean,
  signFlipTest,
} from '../statistics/index.js'
import type { ComparisonRow } from './comparison-row.js'
import { pairRows } from './pair-rows.js'
import { type Report, report } from './report.js'

/** How to compare. */
export interface CompareMethodsOptions {
  /** The method that the others are compared with; the first. */
  readonly baseline?: string | undefined
  /** Bootstrap resamples and random flips; 2000. */
  readonly resamples?: number | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
  /** The nominal coverage; 0.95. */
  readonly level?: number | undefined
  /** As in `bootstrap`. */
  readonly method?: BootstrapMethod | undefined
}

/** One method against the baseline, on the same pictures. */
export interface PairedDifference {
  /** The method. */
  readonly method: string
  /** `mean [method - baseline]`. */
  readonly estimate: number
  /** Of the difference, the pairs kept together. */
  readonly interval: Interval
  /** Sign-flip test over patients. */
  readonly p: number
  /** Holm over all differences of the table. */
  readonly adjusted: number
  /** `'better'` or `'worse'` where `adjusted` ≤ 1 - level; otherwise nothing is claimed. */
  readonly verdict: 'better' | 'worse' | 'undecided'
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/** One row, compared. */
export interface ComparedRow {
  /** As given. */
  readonly intervention: string
  /** As given. */
  readonly better: 'higher' | 'lower'
  /** One report per method, the baseline among them. */
  readonly reports: readonly Report[]
  /** One per method other than the baseline. */
  readonly differences: readonly PairedDifference[]
}

/** The whole table. */
export interface MethodComparison {
  /** What the others are compared with. */
  readonly baseline: string
  /** In the order given. */
  readonly methods: readonly string[]
  /** In the order given. */
  readonly rows: readonly ComparedRow[]
}

/**
 * Compares methods row by row: each mean with its interval, and each difference from the baseline over the same
 * pictures with a paired interval and a test, adjusted over the table.
 *
 * Pairs are what make methods comparable: pictures differ more than methods do, and the difference within a
 * picture leaves that out.
 *
 * @param rows - one per metric and intervention; every method has the same keys in every row it appears in
 * @param options - the baseline, resamples, seed, level
 * @throws ArgumentError on no rows, fewer than two methods, a key that one method lacks or has twice, two patients
 * for one key, or values that are not finite
 */
export function compareMethods(
  rows: readonly ComparisonRow[],
  options: CompareMethodsOptions = {},
): MethodComparison {
  const { seed = 0, resamples = 2000, level = 0.95 } = options
  const methods = [...new Set(rows.flatMap((row) => Object.keys(row.methods)))]
  const baseline = options.baseline ?? methods[0]
  if (methods.length < 2 || baseline === undefined) throw nothingToCompare(rows.length, methods)

  const drafts = rows.map((row) => {
    const pairs = pairRows(row, methods, baseline)
    const { patients } = pairs
    const statistics = { ...options, patients, statistic: mean }
    const of = (method: string) => pairs.values.get(method)!
    for (const method of methods) expectFinite(of(method), 'compareMethods', `${row.intervention}, ${method}`)
    return {
      row,
      reports: methods.map((method) => {
        const { estimate, interval, flags, ...counts } = bootstrap({ ...statistics, rows: of(method) })
        const { metric, dialect, range = null, intervention } = row
        const { n, patients } = counts
        const labels = { intervention, method }
        return report({ metric, dialect, range, n, patients, estimate, interval, flags, seed, labels })
      }),
      differences: methods
        .filter((method) => method !== baseline)
        .map((method) => {
          const gaps = of(method).map((value, i) => value - of(baseline)[i]!)
          const { estimate, interval, flags } = bootstrap({ ...statistics, rows: gaps })
          const { p, flags: also } = signFlipTest(gaps, { patients, seed, resamples })
          return { method, estimate, interval, p, flags: [...new Set([...flags, ...also])] }
        }),
    }
  })

  const adjusted = holm(drafts.flatMap(({ differences }) => differences.map(({ p }) => p)))
  let next = 0
  return {
    baseline,
    methods,
    rows: drafts.map(({ row: { intervention, better }, reports, differences }) => ({
      intervention,
      better,
      reports,
      differences: differences.map((difference) => {
        const q = adjusted[next++]!
        const gains = difference.estimate > 0 === (better === 'higher')
        const verdict = q > 1 - level || difference.estimate === 0 ? 'undecided' : gains ? 'better' : 'worse'
        return { ...difference, adjusted: q, verdict }
      }),
    })),
  }
}

function nothingToCompare(rows: number, methods: readonly string[]): ArgumentError {
  return new ArgumentError({
    rule: 'compareMethods needs rows with at least two methods',
    got: `${rows} rows of ${methods.join(', ') || 'no methods'}`,
    mend: 'For one method alone, use reportMetric().',
  })
}
