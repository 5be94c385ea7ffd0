/**
 * Results as data: one number with its definition, its uncertainty and its origin; tables of them; methods compared.
 *
 * @packageDocumentation
 */
export {
  type ComparedRow,
  type CompareMethodsOptions,
  compareMethods,
  type MethodComparison,
  type PairedDifference,
} from './compare-methods.js'
export type { ComparisonRow, Observation } from './comparison-row.js'
export { comparisonTable } from './comparison-table.js'
export { toCsv, toJson, toMarkdown } from './formats.js'
export { type Report, type ReportInput, report } from './report.js'
export { type ReportMetricOptions, reportMetric } from './report-metric.js'
export { type Cell, type Table, tableOf } from './table.js'
export { libraryVersion } from './version.js'
