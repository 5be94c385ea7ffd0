import type { Report } from './report.js'

/** Cells of a table: text, numbers, or nothing. */
export type Cell = string | number | boolean | null

/** A table as data, ready for any format. */
export interface Table {
  /** Column names. */
  readonly columns: readonly string[]
  /** One list of cells per row, parallel to `columns`. */
  readonly rows: readonly (readonly Cell[])[]
}

/**
 * Reports as one flat table: their labels first, then every field.
 *
 * @param reports - any; labels that some lack are empty there
 */
export function tableOf(reports: readonly Report[]): Table {
  const labels = [...new Set(reports.flatMap((one) => Object.keys(one.labels)))]
  const fields: Record<string, (one: Report) => Cell> = {
    metric: (one) => one.metric,
    dialect: (one) => one.dialect,
    range: (one) => one.range && `[${one.range.join(', ')}]`,
    n: (one) => one.n,
    patients: (one) => one.patients,
    estimate: (one) => one.estimate,
    low: (one) => one.interval?.low ?? null,
    high: (one) => one.interval?.high ?? null,
    level: (one) => one.interval?.level ?? null,
    interval: (one) => one.interval?.method ?? null,
    p: (one) => one.p,
    seed: (one) => one.seed,
    version: (one) => one.version,
    flags: (one) => one.flags.join(' '),
    warnings: (one) => one.warnings.join('; '),
  }
  return {
    columns: [...labels, ...Object.keys(fields)],
    rows: reports.map((one) => [
      ...labels.map((label) => one.labels[label] ?? null),
      ...Object.values(fields).map((field) => field(one)),
    ]),
  }
}
