/**
 * The main job: a picture and prompts to counterfactual pictures, difference maps, a record and a page.
 *
 *   npm run demo
 *   npm run demo -- --image patient.png --source "…" --target "…" --target "…" --model ./roentgen
 */
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ContrafactError, loadStableDiffusion, readImage, useBackend, writeImage } from 'contrafact'
import { type Progress, writeAtomically } from 'contrafact/core'
import { differenceMap, encodePng, renderDifferenceMap, sideBySide } from 'contrafact/image'
import { detectImages } from './phantom/detectors.js'
import {
  defaults,
  type EditSettings,
  editPicture,
  l1,
  nullTextDefaults,
  psnr,
} from './support/edit-picture.js'
import { renderPage, renderTable } from './support/page.js'

const here = (path: string) => join(import.meta.dirname, path)
const phantomModel = here('phantom/model')

const usage = `Usage: npm run demo -- [options]
  --image FILE      picture to edit                     (a held-out phantom)
  --source TEXT     prompt that describes the picture   ("Chest X-ray with cardiomegaly and support devices")
  --target TEXT     prompt of an edit; repeatable       ("… with no cardiomegaly", "… with no support devices")
  --model NAME      diffusers folder, or a Hub id       (the phantom model)
  --method NAME     pivot-pinned or null-text           (${defaults.method})
  --steps N         sampling steps                      (${defaults.steps})
  --guidance X      guidance scale                      (${defaults.guidance})
  --cross X         cross-attention from the source, up to this share of the steps  (${defaults.crossReplace}; null-text ${nullTextDefaults.crossReplace})
  --self X          self-attention from the source, likewise                        (${defaults.selfReplace})
  --skip X          noisiest steps that an edit leaves out, a share of all          (${defaults.skip}; not with null-text)
  --backend NAME    tensorflow, webgpu or wasm          (the fastest installed)
  --out FOLDER      where results go                    (out/counterfactual)
  --json            print the record as the last line
  --help`

async function main(): Promise<void> {
  const { values: given } = parseArgs({
    options: {
      image: { type: 'string' },
      source: { type: 'string' },
      target: { type: 'string', multiple: true },
      model: { type: 'string', default: phantomModel },
      method: { type: 'string', default: defaults.method },
      steps: { type: 'string', default: String(defaults.steps) },
      guidance: { type: 'string', default: String(defaults.guidance) },
      cross: { type: 'string' },
      self: { type: 'string' },
      skip: { type: 'string' },
      backend: { type: 'string' },
      out: { type: 'string', default: 'out/counterfactual' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (given.help) return console.log(usage)
  if (given.image !== undefined && (given.source === undefined || given.target === undefined)) {
    throw new Error('--image needs --source and at least one --target: prompts that describe your picture')
  }
  const imagePath = given.image ?? here('phantom/held-out/phantom-20.png')
  const source = given.source ?? 'Chest X-ray with cardiomegaly and support devices'
  const targets = given.target ?? ['Chest X-ray with no cardiomegaly', 'Chest X-ray with no support devices']
  const method = expectMethod(given.method)
  if (method === 'null-text' && given.skip !== undefined) {
    throw new Error(
      '--skip is for pivot-pinned: null-text fits every step, so its edits start at the noisiest',
    )
  }
  const usual = method === 'null-text' ? nullTextDefaults : defaults
  const settings: EditSettings = {
    ...usual,
    steps: Number(given.steps),
    guidance: Number(given.guidance),
    crossReplace: Number(given.cross ?? usual.crossReplace),
    selfReplace: Number(given.self ?? usual.selfReplace),
    skip: Number(given.skip ?? usual.skip),
  }

  const started = performance.now()
  const { backend } = await useBackend(given.backend as 'wasm' | undefined)
  const sd = await loadStableDiffusion(given.model)
  const original = await readImage(imagePath, { size: [...sd.geometry!.size] })
  const run = { onProgress: process.stderr.isTTY ? showProgress : undefined }
  const { reconstruction, edits, evaluations } = await editPicture(
    sd,
    original,
    source,
    targets,
    settings,
    run,
  )
  const roundTrip = tf.tidy(() => sd.decodeLatents(sd.encodeImage(original)))
  const seconds = (performance.now() - started) / 1000

  const pictures: readonly { name: string; file: string; image: Tensor4D }[] = [
    { name: 'original', file: 'original.png', image: original },
    { name: 'reconstruction', file: 'reconstruction.png', image: reconstruction },
    ...edits.map(({ prompt, image }, i) => ({ name: prompt, file: `edit-${i + 1}.png`, image })),
  ]
  const scale = Math.max(1, Math.round(512 / original.shape[1]))
  const figures: { image: Uint8Array; map: Uint8Array }[] = []
  const measures: Measure[] = []
  for (const { name, file, image } of pictures) {
    await writeImage(join(given.out, file), image)
    const difference = differenceMap(reconstruction, image)
    const map = await renderDifferenceMap(difference, { range: 0.5, scale })
    await writeImage(join(given.out, file.replace('.png', '-difference.png')), map)
    const large = await sideBySide([image], { scale, gap: 0 })
    figures.push({ image: await encodePng(large), map: await encodePng(map) })
    const [detected] = given.model === phantomModel ? await detectImages(image) : []
    measures.push({ name, file, change: await l1(reconstruction, image), ...(detected && { detected }) })
    tf.dispose([difference, map, large])
  }

  const overview = await sideBySide(
    pictures.map(({ image }) => image),
    {
      labels: ['original', 'reconstruction', ...targets.map((_, i) => `edit ${i + 1}`)],
      scale: Math.max(1, scale / 2),
    },
  )
  await writeImage(join(given.out, 'overview.png'), overview)

  const record = {
    image: basename(imagePath),
    model: given.model === phantomModel ? 'examples/phantom/model' : given.model,
    source,
    targets,
    settings,
    backend,
    tfjs: tf.version_core,
    evaluations,
    seconds: Number(seconds.toFixed(1)),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
    psnr: {
      roundTrip: await psnr(original, roundTrip),
      reconstruction: await psnr(original, reconstruction),
    },
    truncated: edits.map(({ truncated }) => truncated),
    pictures: measures,
  }
  const table = tableOf(measures)
  const [first, second, ...edited] = pictures.map(({ name }, i) => ({ name, ...figures[i]! }))
  const page = renderPage({
    title: `What else must change? ${basename(imagePath)}`,
    lead: `Described as “${source}”, inverted, then edited by prompt. Red is brighter than the reconstruction, blue darker.`,
    rows: [
      {
        heading: 'The picture and its reconstruction',
        figures: [first!, second!].map(({ name, image }) => ({ png: image, caption: name })),
      },
      ...edited.map(({ name, image, map }) => ({
        heading: name,
        figures: [
          { png: image, caption: 'edited' },
          { png: map, caption: 'edited minus reconstruction' },
        ],
      })),
    ],
    table,
    record,
  })
  await writeAtomically(join(given.out, 'record.json'), `${JSON.stringify(record, null, 2)}\n`)
  await writeAtomically(join(given.out, 'index.html'), page)

  console.log(`\n${renderTable(table)}\n`)
  console.log(
    `${evaluations.inversion + evaluations.edits} network evaluations (${evaluations.oneEdit} for one edit), ` +
      `${record.seconds} s on ${backend}, ${record.peakMegabytes} MB. Open ${join(given.out, 'index.html')}`,
  )
  if (given.json) console.log(JSON.stringify(record))
  tf.dispose([
    original,
    reconstruction,
    roundTrip,
    ...edits.flatMap(({ image, latents }) => [image, latents]),
  ])
  sd.dispose()
}

type Measure = {
  name: string
  file: string
  change: number
  detected?: Awaited<ReturnType<typeof detectImages>>[number]
}

function tableOf(measures: readonly Measure[]): string[][] {
  const signs = measures[0]?.detected ? (['cardiomegaly', 'pacemaker', 'line', 'effusion'] as const) : []
  return [
    ['picture', 'mean change', ...signs],
    ...measures.map(({ name, change, detected }) => [
      name,
      change.toFixed(4),
      ...signs.map((sign) => detected![sign].toFixed(2)),
    ]),
  ]
}

function expectMethod(method: string): EditSettings['method'] {
  if (method === 'pivot-pinned' || method === 'null-text') return method
  throw new Error(`--method is pivot-pinned or null-text, not "${method}"`)
}

function showProgress({ stage, done, total }: Progress): void {
  process.stderr.write(`\r\x1b[K${stage} ${done}/${total}${done === total ? '\n' : ''}`)
}

main().catch((error: unknown) => {
  const known =
    error instanceof ContrafactError ||
    (error instanceof Error && !('code' in error && error.code === undefined))
  console.error(known ? `\n${(error as Error).message}` : error)
  process.exitCode = 1
})
