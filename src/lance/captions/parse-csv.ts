import { ArgumentError } from '../../core/index.js'

/**
 * The rows of a CSV text (RFC 4180): commas, fields in double quotes with `""` for a quote, any line ending, a byte
 * order mark left out, empty lines left out.
 *
 * @throws ArgumentError on a quote that is never closed, or text after a closing quote
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let [field, quoted, closed] = ['', false, false]
  const endField = () => {
    row.push(field)
    ;[field, closed] = ['', false]
  }
  const endRow = () => {
    endField()
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  const source = text.replace(/^\uFEFF/, '')
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!
    if (quoted && char === '"' && source[i + 1] === '"') {
      field += '"'
      i++
    } else if (quoted && char === '"') [quoted, closed] = [false, true]
    else if (quoted) field += char
    else if (char === ',') endField()
    else if (char === '\n' || char === '\r') {
      if (char === '\r' && source[i + 1] === '\n') i++
      endRow()
    } else if (closed) throw broken(`${JSON.stringify(char)} after a closing quote`, rows.length)
    else if (char === '"' && field === '') quoted = true
    else field += char
  }
  if (quoted) throw broken('a quote that is never closed', rows.length)
  if (field !== '' || row.length > 0 || closed) endRow()
  return rows
}

function broken(got: string, row: number): ArgumentError {
  return new ArgumentError({
    rule: 'a CSV table follows RFC 4180',
    got: `${got} in row ${row + 1}`,
    mend: 'Double the quotes inside a field.',
  })
}
