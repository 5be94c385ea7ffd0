import { escapeHtml, type Figure, htmlDetails, htmlFigures, htmlPage, htmlTable } from 'contrafact/core'

/** One row of pictures under a heading. */
export interface PageRow {
  readonly heading: string
  readonly figures: readonly Figure[]
}

/** What the page shows. */
export interface PageContent {
  readonly title: string
  readonly lead: string
  readonly rows: readonly PageRow[]
  /** Header and cells of one table. */
  readonly table: readonly (readonly string[])[]
  readonly record: unknown
}

/** The demo's page: rows of pictures, one table and the record. */
export function renderPage({ title, lead, rows, table, record }: PageContent): string {
  const body = [
    ...rows.map(({ heading, figures }) => `<h2>${escapeHtml(heading)}</h2>\n${htmlFigures(figures)}`),
    `<h2>In numbers</h2>\n${htmlTable(table)}`,
    `<h2>Record</h2>\n${htmlDetails('What was run, with every setting', record)}`,
  ]
  return htmlPage(title, lead, body.join('\n'))
}

/** The same table for a terminal. */
export function renderTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  )
  return table
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n')
}
