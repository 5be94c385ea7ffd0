/**
 * What if? A folder of pictures to counterfactual edits, gates, a record and a page.
 *
 *   npm run lance                                    40 held-out phantoms
 *   npm run lance -- --image FILE --caption TEXT     one picture of your own
 *
 * Killed or aborted, it goes on when called again with the same options. See docs/lance.md.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { ContrafactError, loadStableDiffusion, useBackend, writeImage } from 'contrafact'
import type { Progress } from 'contrafact/core'
import {
  type ClusterableEdit,
  clinicalPerturber,
  clusterEdits,
  type Embedder,
  type Gate,
  gatePresets,
  type LanceRun,
  runLance,
  selfReplaceSweep,
  sensitivity,
} from 'contrafact/lance'
import { attributeSpace } from './phantom/attribute-space.js'
import { caption } from './phantom/captions.js'
import { heldOut } from './phantom/causal-graph.js'
import { toRgb } from './phantom/dataset.js'
import { draw } from './phantom/draw.js'
import { fitPixelProbe } from './phantom/pixel-probe.js'
import { ddimOf, defaults } from './support/edit-picture.js'
import { renderTable } from './support/page.js'

const phantomModel = join(import.meta.dirname, 'phantom/model')

// LANCE's gates, but for the first: its threshold is CLIP's. In a space of five attributes an edit that flips one
// leaves a cosine near 0.6, and one that takes another along near 0.2.
const phantomGates: readonly Gate[] = [
  { gate: 'image-image', min: 0.1 },
  ...gatePresets['lance-2023'].filter(({ gate }) => gate !== 'image-image'),
]

const usage = `Usage: npm run lance -- [options]
  --count N         held-out phantoms to edit            (40)
  --image FILE      a picture of your own instead, with
  --caption TEXT    what it shows
  --model NAME      diffusers folder, or a Hub id        (the phantom model)
  --gates PRESET    phantom, lance-2023 or prism-2025    (phantom)
  --sweep           five self-replace values an edit     (one)
  --steps N         sampling steps                       (${defaults.steps})
  --backend NAME    tensorflow, webgpu or wasm           (the fastest installed)
  --out FOLDER      where results go                     (out/lance)
  --help`

async function main(): Promise<void> {
  const { values: given } = parseArgs({
    options: {
      count: { type: 'string', default: '40' },
      image: { type: 'string' },
      caption: { type: 'string' },
      model: { type: 'string', default: phantomModel },
      gates: { type: 'string', default: 'phantom' },
      sweep: { type: 'boolean', default: false },
      steps: { type: 'string', default: String(defaults.steps) },
      backend: { type: 'string' },
      out: { type: 'string', default: 'out/lance' },
      help: { type: 'boolean', default: false },
    },
  })
  if (given.help) return console.log(usage)
  if ((given.image === undefined) !== (given.caption === undefined))
    throw new Error('--image needs --caption, and --caption needs --image')
  const presets: Record<string, readonly Gate[]> = { phantom: phantomGates, ...gatePresets }
  const thresholds = presets[given.gates]
  if (!thresholds)
    throw new Error(`--gates is one of ${Object.keys(presets).join(', ')}, not "${given.gates}"`)

  const { backend } = await useBackend(given.backend as 'wasm' | undefined)
  const sd = await loadStableDiffusion(given.model)
  const phantoms = given.model === phantomModel
  const probe = phantoms ? await fitPixelProbe() : undefined
  const images = `${given.out}-pictures`
  const captions =
    given.image === undefined ? await drawPhantoms(images, Number(given.count)) : new Map<string, string>()
  if (given.image !== undefined) {
    mkdirSync(images, { recursive: true })
    copyFileSync(given.image, join(images, basename(given.image)))
    captions.set(basename(given.image), given.caption!)
  }

  const started = performance.now()
  const { steps: _, ...settings } = defaults
  const run = await runLance({
    model: sd,
    images,
    out: given.out,
    caption: ({ name }) => captions.get(name) ?? '',
    perturb: clinicalPerturber(),
    embedder: phantoms ? attributeSpace : nowhere,
    gates: [...(phantoms ? thresholds : []), { gate: 'reconstruction', min: 18 }],
    ...(probe && { underTest: probe.predict }),
    edit: {
      scheduler: ddimOf(sd, Number(given.steps)),
      inversionPrompt: settings.inversionPrompt,
      guidance: settings.guidance,
      crossReplace: 0.8,
      selfReplace: given.sweep ? selfReplaceSweep['lance-2023'] : [settings.selfReplace],
      editWeight: 2,
      skip: settings.skip,
    },
    names: {
      model: phantoms ? 'examples/phantom/model' : given.model,
      caption: given.image === undefined ? 'true captions of phantoms' : `given: ${given.caption}`,
      perturb: 'clinical grammar',
      embedder: phantoms ? 'phantom attribute space (detectors and words, not learnt)' : 'none',
      ...(probe && { underTest: 'linear probe on 16 × 16 pixels of phantoms' }),
    },
    title: given.image === undefined ? 'What if? Held-out phantoms' : `What if? ${basename(given.image)}`,
    onProgress: process.stderr.isTTY ? showProgress : undefined,
  })
  const seconds = (performance.now() - started) / 1000
  await report(run, phantoms)
  const { inversion, edits } = run.summary.evaluations
  console.log(
    `${inversion + edits} evaluations of the network in this folder, ${seconds.toFixed(0)} s now, ${backend}. Open ${run.page}`,
  )
  probe?.dispose()
  sd.dispose()
}

// Without an embedder of the field nothing can be said of similarity: all of it is recorded as undefined.
const nowhere: Embedder = {
  embedImages: (images) => tf.zeros([images.shape[0], 1]),
  embedTexts: (texts) => tf.zeros([texts.length, 1]),
}

async function drawPhantoms(folder: string, count: number): Promise<Map<string, string>> {
  const captions = new Map<string, string>()
  for (let i = 0; i < count; i++) {
    const patient = heldOut(i)
    const name = `phantom-${String(patient.seed).padStart(3, '0')}.png`
    captions.set(name, caption(patient.attributes, patient.seed))
    if (existsSync(join(folder, name))) continue
    const picture = tf.tensor4d(toRgb(draw(patient, 64)), [1, 64, 64, 3])
    await writeImage(join(folder, name), picture)
    picture.dispose()
  }
  return captions
}

async function report({ records, summary }: LanceRun, phantoms: boolean): Promise<void> {
  const rates = summary.passRates.map(({ kind, edits, passed, rate, interval }) => [
    kind,
    `${passed}/${edits}`,
    ...[rate, ...interval].map((value) => `${(100 * value).toFixed(0)} %`),
  ])
  console.log(`\n${renderTable([['kind', 'passed', 'rate', 'from', 'to'], ...rates])}\n`)
  if (!phantoms) return
  const label = 'pacemaker'
  const edits: ClusterableEdit[] = records.flatMap(({ status, picture, perturbation, predictions }) => {
    if (status !== 'passed' || !predictions) return []
    const { source, target, intervention } = perturbation!
    const { reconstruction, edited } = predictions
    const name = `${intervention!.attribute}: ${intervention!.from} to ${intervention!.to}`
    return [{ picture, source, target, name, sensitivity: sensitivity(reconstruction, edited, label) }]
  })
  if (edits.length === 0) return
  const clusters = await clusterEdits(attributeSpace, edits)
  const rows = clusters.map(({ name, mean, interval, edits }) => [
    name,
    String(edits),
    mean.toFixed(3),
    interval ? interval.map((bound) => bound.toFixed(3)).join(' to ') : '',
  ])
  console.log(`Kinds of change by how much they move the probe's "${label}", edits that passed:\n`)
  console.log(`${renderTable([['nearest to the centre', 'edits', 'sensitivity', '95 %'], ...rows])}\n`)
}

function showProgress({ stage, done, total, detail }: Progress): void {
  const told = stage === 'pictures' ? `${detail} (${done}/${total})\n` : `${stage} ${done}/${total}`
  process.stderr.write(`\r\x1b[K${told}`)
}

main().catch((error: unknown) => {
  const known =
    error instanceof ContrafactError ||
    (error instanceof Error && !('code' in error && error.code === undefined))
  console.error(known ? `\n${(error as Error).message}` : error)
  process.exitCode = 1
})
