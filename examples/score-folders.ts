/**
 * Scores a folder of pictures against a folder of references, paired by file name.
 *
 *     npx tsx examples/score-folders.ts edited originals [page.html]
 *
 * Prints a table of means with intervals, and writes a page that shows the worst pairs. What could not be read or
 * paired is named.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { useBackend } from 'contrafact'
import { escapeHtml, htmlFigures, htmlPage, htmlTable } from 'contrafact/core'
import { encodePng, readImage } from 'contrafact/image'
import { type FolderScores, l1, psnr, reportMetric, scoreFolders, ssim } from 'contrafact/metrics'

const [images, references, page = 'out/score-folders.html'] = process.argv.slice(2)
if (!images || !references) throw new Error('usage: score-folders <images> <references> [page.html]')

await useBackend()
const metrics = [l1(), psnr(), ssim()]
const scores = await scoreFolders(images, references, metrics)
const table = tableOf(scores)
for (const row of table) console.log(row.map((cell) => cell.padEnd(24)).join(''))
for (const { name, reason } of scores.unreadable) console.log(`unreadable: ${name}: ${reason}`)
for (const name of scores.unpaired) console.log(`in one folder only: ${name}`)

const body = [
  htmlTable(table),
  ...scores.unreadable.map(({ name, reason }) => `<p>Unreadable: ${escapeHtml(`${name}: ${reason}`)}</p>`),
  ...scores.unpaired.map((name) => `<p>In one folder only: ${escapeHtml(name)}</p>`),
  '<h2>The worst pairs by SSIM</h2>',
  ...(await worstPairs(scores, 5)),
].join('\n')
const lead = `${scores.names.length} pairs of ${images} and ${references}.`
await mkdir(dirname(page), { recursive: true })
await writeFile(page, htmlPage('Two folders, scored', lead, body))
console.log(`page: ${page}`)

function tableOf({ results }: FolderScores): string[][] {
  const rows = results.map((result) => {
    const finite = { ...result, perImage: result.perImage!.map((x) => (Number.isFinite(x) ? x : Number.NaN)) }
    const { estimate, interval } = reportMetric(finite, { seed: 0 })
    const bounds = interval ? `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}` : 'none'
    return [`${result.metric} (${result.dialect})`, estimate.toFixed(4), bounds, String(result.n)]
  })
  return [['metric', 'mean', '95 % interval', 'pairs'], ...rows]
}

async function worstPairs({ results, names }: FolderScores, count: number): Promise<string[]> {
  const similarity = results.at(-1)!.perImage!
  const order = names.map((_, i) => i).sort((a, b) => similarity[a]! - similarity[b]!)
  const rows: string[] = []
  for (const i of order.slice(0, count)) {
    const name = names[i]!
    const figures = [
      { png: await png(join(images!, name)), caption: `${name}, scored` },
      { png: await png(join(references!, name)), caption: `reference; SSIM ${similarity[i]!.toFixed(4)}` },
    ]
    rows.push(htmlFigures(figures))
  }
  return rows
}

async function png(path: string): Promise<Uint8Array> {
  const image = await readImage(path)
  try {
    return await encodePng(image)
  } finally {
    image.dispose()
  }
}
