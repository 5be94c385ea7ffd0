import { readFile } from 'node:fs/promises'
import { ArgumentError } from '../../core/index.js'
import type { Captioner } from './captioner.js'
import { parseCsv } from './parse-csv.js'

/** Options of {@link captionTable}. */
export interface CaptionTableOptions {
  /** The column or key with the picture's name; `image`. */
  readonly name?: string
  /** The column or key with the caption; `caption`. */
  readonly caption?: string
}

/**
 * A captioner that reads captions from a table: CSV with a header, or JSONL with one object on each line.
 *
 * ```ts
 * const caption = await captionTable('captions.csv') // image,caption
 * await caption({ name: 'patient-1.png', image })
 * ```
 *
 * @param path - of a `.csv` or `.jsonl` file
 * @param options - names of the two columns
 * @returns a captioner; it throws ArgumentError for a picture that the table lacks. A table's names may leave out the
 * folder that the picture is in.
 * @throws ArgumentError when the file cannot be read, lacks a column, or has two captions for one picture
 */
export async function captionTable(path: string, options: CaptionTableOptions = {}): Promise<Captioner> {
  const captions = parseCaptionTable(await readText(path), path.endsWith('.jsonl') ? 'jsonl' : 'csv', options)
  return ({ name }) => {
    const caption = captions.get(name) ?? captions.get(name.split(/[\\/]/).at(-1)!)
    if (caption !== undefined) return caption
    throw refused(
      'a caption for every picture',
      `none for ${JSON.stringify(name)}`,
      `The table has ${captions.size} others.`,
    )
  }
}

/**
 * The captions of a table by the names of their pictures.
 *
 * @param text - the table
 * @param format - of the text
 * @param options - names of the two columns
 * @throws ArgumentError as {@link captionTable}
 */
export function parseCaptionTable(
  text: string,
  format: 'csv' | 'jsonl',
  options: CaptionTableOptions = {},
): ReadonlyMap<string, string> {
  const { name = 'image', caption = 'caption' } = options
  const captions = new Map<string, string>()
  for (const [line, row] of (format === 'csv' ? csvRows(text) : jsonRows(text)).entries()) {
    const [key, said] = [row[name], row[caption]]
    if (typeof key !== 'string' || typeof said !== 'string' || key === '' || said.trim() === '') {
      const mend = `Name the columns: { name: '…', caption: '…' }; this row has ${Object.keys(row).join(', ') || 'none'}.`
      throw refused(`${name} and ${caption} in every row`, `row ${line + 1} without`, mend)
    }
    if (captions.has(key))
      throw refused('one caption for each picture', `two for ${JSON.stringify(key)}`, 'Leave one out.')
    captions.set(key, said)
  }
  return captions
}

type Row = Readonly<Record<string, unknown>>

function csvRows(text: string): Row[] {
  const [header = [], ...rows] = parseCsv(text)
  return rows.map((row) => Object.fromEntries(header.map((column, i) => [column.trim(), row[i]])))
}

function jsonRows(text: string): Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    try {
      const row: unknown = JSON.parse(line)
      if (typeof row === 'object' && row !== null) return row as Row
    } catch {}
    throw refused(
      'a JSON object on every line',
      `line ${i + 1}: ${JSON.stringify(line.slice(0, 80))}`,
      'Write one object a line.',
    )
  })
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ArgumentError({
      rule: 'captionTable needs a .csv or .jsonl file',
      got: `${path}: ${(cause as Error).message}`,
      mend: 'Check the path.',
      cause,
    })
  }
}

const refused = (what: string, got: string, mend: string) =>
  new ArgumentError({ rule: `a caption table needs ${what}`, got, mend })
