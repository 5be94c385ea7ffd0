/** One picture of the page: a PNG and what to say below it. */
export interface Figure {
  readonly png: Uint8Array
  readonly caption: string
}

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

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)

/** A self-contained HTML page: pictures inline, no script, readable on a phone and in the dark. */
export function renderPage({ title, lead, rows, table, record }: PageContent): string {
  const figure = ({ png, caption }: Figure) =>
    `<figure><img alt="${escaped(caption)}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">` +
    `<figcaption>${escaped(caption)}</figcaption></figure>`
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  const [header = [], ...body] = table
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin-bottom: .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  .row { display: flex; flex-wrap: wrap; gap: 1rem; }
  figure { margin: 0; flex: 0 1 18rem; } figcaption { font-size: .85rem; opacity: .75; }
  img { width: 100%; image-rendering: pixelated; border-radius: 4px; background: #888; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
  th:first-child, td:first-child { text-align: left; }
  pre { overflow: auto; font-size: .8rem; padding: 1rem; background: #8882; border-radius: 4px; }
</style>
<h1>${escaped(title)}</h1>
<p>${escaped(lead)}</p>
${rows.map((row) => `<h2>${escaped(row.heading)}</h2>\n<div class="row">${row.figures.map(figure).join('')}</div>`).join('\n')}
<h2>In numbers</h2>
<table><thead>${cells('th', header)}</thead><tbody>${body.map((row) => cells('td', row)).join('')}</tbody></table>
<h2>Record</h2>
<details><summary>What was run, with every setting</summary><pre>${escaped(JSON.stringify(record, null, 2))}</pre></details>
</html>
`
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
