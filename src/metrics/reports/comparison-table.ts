import type { Interval } from '../statistics/index.js'
import type { MethodComparison } from './compare-methods.js'
import { rounded } from './formats.js'
import type { Table } from './table.js'

/**
 * A comparison in the form of a paper's table: one row per intervention and metric, one column per method with its
 * interval, then one column per method with its paired difference from the baseline and the adjusted p-value.
 *
 * @param comparison - of `compareMethods`
 * @param digits - significant digits; 3
 * @returns a table for `toMarkdown` or `toCsv`; the numbers themselves are in the comparison, for `toJson`
 */
export function comparisonTable(comparison: MethodComparison, digits = 3): Table {
  const { baseline, methods, rows } = comparison
  const others = methods.filter((method) => method !== baseline)
  const number = (value: number) => rounded(value, digits)
  const withInterval = (estimate: number, interval: Interval | null) =>
    interval === null
      ? number(estimate)
      : `${number(estimate)} [${number(interval.low)}, ${number(interval.high)}]`
  return {
    columns: [
      'intervention',
      'metric',
      'n',
      ...methods,
      ...others.map((method) => `${method} - ${baseline}`),
    ],
    rows: rows.map(({ intervention, better, reports, differences }) => [
      intervention,
      `${reports[0]!.metric} (${reports[0]!.dialect}) ${better === 'higher' ? '↑' : '↓'}`,
      reports[0]!.n,
      ...reports.map(({ estimate, interval }) => withInterval(estimate, interval)),
      ...differences.map(({ estimate, interval, adjusted, verdict }) => {
        const claim = verdict === 'undecided' ? '' : `, ${verdict}`
        return `${withInterval(estimate, interval)}, p ${rounded(adjusted, 2)}${claim}`
      }),
    ]),
  }
}
