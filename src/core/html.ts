/** One picture of a page: a PNG and what to say below it. */
export interface Figure {
  /** The bytes of a PNG file. */
  readonly png: Uint8Array
  /** Below the picture, and read out where it cannot be seen. */
  readonly caption: string
}

/**
 * Text for a place between tags or in a quoted attribute.
 *
 * @param text - anything
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)
}

/**
 * A row of pictures, their bytes inline.
 *
 * @param figures - from left to right
 */
export function htmlFigures(figures: readonly Figure[]): string {
  const one = ({ png, caption }: Figure) =>
    `<figure><img loading="lazy" alt="${escapeHtml(caption)}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">` +
    `<figcaption>${escapeHtml(caption)}</figcaption></figure>`
  return `<div class="row">${figures.map(one).join('')}</div>`
}

/**
 * A table; wide ones scroll within the page.
 *
 * @param rows - the header, then the body
 * @param align - of every column but the first
 */
export function htmlTable(rows: readonly (readonly string[])[], align: 'left' | 'right' = 'right'): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
  const [header = [], ...body] = rows
  return `<div class="wide"><table class="${align}"><thead>${cells('th', header)}</thead><tbody>${body.map((row) => cells('td', row)).join('')}</tbody></table></div>`
}

/**
 * Anything as JSON behind a line that opens it.
 *
 * @param summary - the line
 * @param value - anything that JSON can hold
 */
export function htmlDetails(summary: string, value: unknown): string {
  return `<details><summary>${escapeHtml(summary)}</summary><pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre></details>`
}

/**
 * A self-contained HTML page: pictures inline, no script, readable on a phone and in the dark.
 *
 * @param title - of the page, and its first heading
 * @param lead - one paragraph
 * @param body - HTML
 */
export function htmlPage(title: string, lead: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin-bottom: .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
  .row { display: flex; flex-wrap: wrap; gap: 1rem; }
  figure { margin: 0; } figcaption { font-size: .85rem; opacity: .75; }
  img { height: min(15rem, 60vw); width: auto; image-rendering: pixelated; border-radius: 4px; background: #888; }
  .wide { overflow-x: auto; margin-top: .5rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
  th:first-child, td:first-child { text-align: left; }
  .tag { font-size: .75rem; font-weight: 600; padding: .1rem .5rem; border-radius: 1rem; background: #8883; }
  .passed { background: #2a74; } .rejected { background: #c434; }
  .small-text { font-size: .85rem; opacity: .8; margin: .2rem 0 .6rem; }
  .left td, .left th { text-align: left; }
  pre { overflow: auto; font-size: .8rem; padding: 1rem; background: #8882; border-radius: 4px; }
</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(lead)}</p>
${body}
</html>
`
}
