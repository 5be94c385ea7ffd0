import type { Report } from './report.js'
import { type Cell, type Table, tableOf } from './table.js'

/**
 * Reports (or a comparison) as JSON. Numbers keep every digit; NaN and infinities, which JSON lacks, become the
 * strings `"NaN"`, `"Infinity"` and `"-Infinity"`, so that an undefined number is not taken for an absent one.
 *
 * @param data - plain data
 * @returns two-space indented text with a final newline
 */
export function toJson(data: object): string {
  const spell = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  return `${JSON.stringify(data, spell, 2)}\n`
}

/**
 * A table as CSV (RFC 4180): fields with commas, quotes or line breaks are quoted; absent cells are empty.
 *
 * @param data - reports, or a table
 * @returns lines that end with CR LF, the column names first
 */
export function toCsv(data: readonly Report[] | Table): string {
  const { columns, rows } = asTable(data)
  const field = (cell: Cell) => {
    const text = cell === null ? '' : String(cell)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

/**
 * A table as Markdown (GitHub's): numbers to four significant digits, absent cells empty, pipes escaped.
 *
 * @param data - reports, or a table
 * @param digits - significant digits of numbers that are not whole; 4
 */
export function toMarkdown(data: readonly Report[] | Table, digits = 4): string {
  const { columns, rows } = asTable(data)
  const text = (cell: Cell) => {
    if (cell === null) return ''
    if (typeof cell === 'number' && Number.isFinite(cell) && !Number.isInteger(cell))
      return rounded(cell, digits)
    return String(cell)
      .replaceAll('\\', '\\\\')
      .replaceAll('|', '\\|')
      .replace(/\s*[\r\n]+\s*/g, ' ')
  }
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return [
    line(columns.map(text)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(row.map(text))),
  ].join('')
}

/** A number to some significant digits, without an exponent where it can be. @internal */
export function rounded(value: number, digits: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value)
}

function asTable(data: readonly Report[] | Table): Table {
  return 'columns' in data ? data : tableOf(data)
}
