import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeHtml, htmlDetails, htmlFigures, htmlPage, htmlTable } from '../../core/index.js'
import { predictionChange } from '../analysis/sensitivity.js'
import type { Verdict } from '../gates/gate.js'
import type { LanceRunOptions } from './options.js'
import type { EditRecord, Predictions } from './records.js'
import type { LanceSummary } from './summary.js'

// Pictures are inline, so a page of many thousand would open nowhere.
const mostPictures = 300

/**
 * A run as one self-contained page: pass rates, sensitivities, and for every edit the original, the reconstruction,
 * the edit, their signed difference, the gates and what the model under test makes of it.
 *
 * @param out - the run's folder, from which the pictures are read
 * @param records - of the run
 * @param summary - of the records
 * @param options - of the run: names and title
 */
export async function renderLancePage(
  out: string,
  records: readonly EditRecord[],
  summary: LanceSummary,
  { names, title = 'Counterfactual edits' }: Pick<LanceRunOptions, 'names' | 'title'>,
): Promise<string> {
  const { status, pictures, evaluations } = summary
  const made = status.passed + status.rejected
  const lead =
    `${made} edits of ${pictures} pictures: ${status.passed} passed the gates, ${status.rejected} did not` +
    `${status.skipped > 0 ? `, ${status.skipped} more would have changed nothing` : ''}` +
    `${status.unreadable > 0 ? `, ${status.unreadable} files are no pictures` : ''}. ` +
    `${evaluations.inversion + evaluations.edits} evaluations of the network. ` +
    'Every edit is compared with the reconstruction, not with the original; red is brighter, blue darker.'
  const shown = new Set(records.filter(({ files }) => files).slice(0, mostPictures))
  const sections: string[] = [overview(summary)]
  if (shown.size < made)
    sections.push(`<p>The first ${shown.size} edits are shown with pictures; all are in records.jsonl.</p>`)
  for (const name of new Set(records.map(({ picture }) => picture))) {
    const ofPicture = records.filter(({ picture }) => picture === name)
    sections.push(`<h2>${escapeHtml(name)}</h2>`, await renderPicture(out, ofPicture, shown))
  }
  sections.push('<h2>Record</h2>', htmlDetails('What was run', { names, summary }))
  return htmlPage(title, lead, sections.join('\n'))
}

function overview({ passRates, sensitivity }: LanceSummary): string {
  const percent = (x: number) => `${(100 * x).toFixed(0)} %`
  const rates = passRates.map(({ kind, edits, passed, rate, interval, stoppedBy }) => [
    kind,
    `${passed} of ${edits}`,
    `${percent(rate)} (${interval.map(percent).join(' to ')})`,
    Object.entries(stoppedBy)
      .flatMap(([gate, count]) => (count > 0 ? [`${gate} ${count}`] : []))
      .join(', ') || 'none',
  ])
  const number = (x: number) => x.toFixed(3)
  const told = (of: LanceSummary['sensitivity'][number]['passed']) =>
    of === null
      ? 'none passed'
      : `${number(of.mean)}${of.interval ? ` (${of.interval.map(number).join(' to ')})` : ''}`
  const moved = sensitivity.map(({ kind, label, passed, all }) => [kind, label, told(passed), told(all)])
  return [
    '<h2>Pass rates</h2>',
    '<p class="small-text">Gates select on the outcome: read effects beside how many edits they are of.</p>',
    htmlTable([['kind', 'passed', 'rate, 95 %', 'stopped by'], ...rates]),
    ...(moved.length > 0
      ? [
          '<h2>Sensitivity of the model under test</h2>',
          '<p class="small-text">Mean |p(reconstruction) − p(edit)|, 95 % intervals over pictures.</p>',
          htmlTable([['kind', 'label', 'edits that passed', 'all edits'], ...moved]),
        ]
      : []),
  ].join('\n')
}

async function renderPicture(
  out: string,
  records: readonly EditRecord[],
  shown: ReadonlySet<EditRecord>,
): Promise<string> {
  const parts: string[] = []
  const caption = records.find((record) => record.caption !== undefined)?.caption
  if (caption !== undefined) parts.push(`<p>“${escapeHtml(caption)}”</p>`)
  const cut = records.find(({ truncated }) => truncated && truncated.source !== '')?.truncated
  if (cut) parts.push(small(`Cut off by the text encoder: “${cut.source}”`))
  const files = records.find((record) => shown.has(record))?.files
  if (files) {
    const pair = [
      [files.original, 'original'],
      [files.reconstruction, 'reconstruction'],
    ] as const
    parts.push(await figures(out, pair))
  }
  for (const record of records) parts.push(await renderEdit(out, record, shown.has(record)))
  return parts.join('\n')
}

async function renderEdit(out: string, record: EditRecord, withPictures: boolean): Promise<string> {
  const { edit, status, reason, perturbation, kept, predictions, files, truncated, emphasised = [] } = record
  const tag = `<span class="tag ${status}">${status}</span>`
  const parts = [`<h3>${tag} ${escapeHtml(perturbation?.target ?? edit ?? '')}</h3>`]
  if (reason !== undefined) parts.push(small(reason))
  if (!kept) return parts.join('\n')
  const about = [
    perturbation!.kind,
    `self-replace ${kept.selfReplace}`,
    ...(emphasised.length > 0 ? [`strengthened: ${emphasised.join(', ')}`] : []),
    ...(truncated && truncated.target !== '' ? [`cut off by the text encoder: “${truncated.target}”`] : []),
  ]
  parts.push(small(about.join('; ')))
  if (withPictures) {
    const three = [
      [files!.reconstruction, 'reconstruction'],
      [files!.edited, 'edited'],
      [files!.difference, 'edited minus reconstruction'],
    ] as const
    parts.push(await figures(out, three))
  }
  const tables: string[] = []
  if (kept.verdicts.length > 0) {
    const rows = kept.verdicts.map(verdictRow)
    tables.push(htmlTable([['gate', 'verdict', 'measured', 'needs'], ...rows], 'left'))
  }
  if (predictions) tables.push(htmlTable(predictionRows(predictions)))
  parts.push(`<div class="row">${tables.join('')}</div>`)
  return parts.join('\n')
}

function predictionRows({ reconstruction, edited }: Predictions): string[][] {
  const changes = Object.entries(predictionChange(reconstruction, edited))
  return [
    ['model under test', 'before', 'after', 'change'],
    ...changes.map(([label, by]) => [
      label,
      reconstruction[label]!.toFixed(2),
      edited[label]!.toFixed(2),
      `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(2)}`,
    ]),
  ]
}

const small = (text: string) => `<p class="small-text">${escapeHtml(text)}</p>`

// How a value reads on the page.
const measures: Readonly<Record<string, string>> = {
  imageImage: 'cosine',
  sourceText: 'source',
  targetText: 'target',
  directional: 'cosine',
  newWords: 'new words',
  oldWords: 'old words',
  psnr: 'dB',
}

function verdictRow({ gate, passed, values, min, note }: Verdict): string[] {
  const numbers = Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [`${measures[name] ?? name} ${value.toFixed(2)}`],
  )
  const needs =
    min === undefined
      ? ''
      : gate === 'prediction-consistency'
        ? min === 0
          ? 'new > old'
          : `new > old + ${min}`
        : `≥ ${min}`
  return [gate, passed ? 'passed' : 'stopped', note ?? numbers.join(', '), needs]
}

async function figures(
  out: string,
  pictures: readonly (readonly [file: string, caption: string])[],
): Promise<string> {
  return htmlFigures(
    await Promise.all(
      pictures.map(async ([file, caption]) => ({ png: await readFile(join(out, file)), caption })),
    ),
  )
}
