/**
 * The edits of the README on held-out phantoms: `npm run edit-table -- [--count 50] [--first 0] [--json]`.
 *
 * Takes held-out patients with cardiomegaly, pacemaker and line, edits each with the demo's settings, and counts what
 * the detectors say of the pictures before and after, with 95 % Wilson intervals.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { loadStableDiffusion, useBackend } from 'contrafact'
import { wilson } from 'contrafact/metrics'
import { defaults, editPicture, l1, psnr } from '../support/edit-picture.js'
import { renderTable } from '../support/page.js'
import { type Attributes, counterfactual, heldOut, type Patient } from './causal-graph.js'
import { toRgb } from './dataset.js'
import { type Detection, detectImages } from './detectors.js'
import { draw } from './draw.js'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50' },
    first: { type: 'string', default: '0' },
    model: { type: 'string', default: join(import.meta.dirname, 'model') },
    steps: { type: 'string', default: String(defaults.steps) },
    guidance: { type: 'string', default: String(defaults.guidance) },
    cross: { type: 'string', default: String(defaults.crossReplace) },
    self: { type: 'string', default: String(defaults.selfReplace) },
    skip: { type: 'string', default: String(defaults.skip) },
    backend: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const settings = {
  ...defaults,
  steps: Number(values.steps),
  guidance: Number(values.guidance),
  crossReplace: Number(values.cross),
  selfReplace: Number(values.self),
  skip: Number(values.skip),
}
const size = 64
const source = 'Chest X-ray with cardiomegaly and support devices'
const prompts = {
  'no cardiomegaly': 'Chest X-ray with no cardiomegaly',
  'no support devices': 'Chest X-ray with no support devices',
  null: source,
}
type Edit = keyof typeof prompts

// The picture that each edit should give: the same patient drawn with only that attribute changed.
const truths: Record<Edit, Partial<Attributes>> = {
  'no cardiomegaly': { cardiomegaly: false },
  'no support devices': { pacemaker: false, line: false },
  null: {},
}
const signs = ['cardiomegaly', 'pacemaker', 'line', 'effusion'] as const

interface Outcome {
  readonly roundTrip: number
  readonly reconstruction: number
  readonly before: Detection
  readonly after: Record<Edit, Detection>
  readonly toTruth: Record<Edit, number>
  /** Distance of the unedited reconstruction to the same truth: what an edit must beat. */
  readonly unedited: Record<Edit, number>
}

const { backend } = await useBackend(values.backend as 'wasm' | undefined)
const sd = await loadStableDiffusion(values.model)
const patients = patientsWith(
  (a) => a.cardiomegaly && a.pacemaker && a.line,
  Number(values.first),
  Number(values.count),
)
const outcomes: Outcome[] = []
for (const patient of patients) {
  outcomes.push(await measure(patient))
  if (process.stderr.isTTY) process.stderr.write(`\r${outcomes.length}/${patients.length}`)
}
sd.dispose()

const rate = (holds: (o: Outcome) => boolean) => {
  const { share, interval } = wilson(outcomes.filter(holds).length, outcomes.length)
  return { share, low: interval.low, high: interval.high }
}
const present = (score: number) => score > 0.5
const mean = (f: (o: Outcome) => number) => outcomes.reduce((sum, o) => sum + f(o), 0) / outcomes.length
const heart = (o: Outcome) => o.after['no cardiomegaly']
const devices = (o: Outcome) => o.after['no support devices']
const goals = [
  goal('"no cardiomegaly" removes cardiomegaly', 0.8, (o) => !present(heart(o).cardiomegaly)),
  goal('"no cardiomegaly" removes the pacemaker', 0.6, (o) => !present(heart(o).pacemaker)),
  goal('"no cardiomegaly" keeps the line', 0.85, (o) => present(heart(o).line)),
  goal(
    '"no support devices" removes both devices',
    0.8,
    (o) => !present(devices(o).pacemaker) && !present(devices(o).line),
  ),
  goal('"no support devices" keeps cardiomegaly', 0.9, (o) => present(devices(o).cardiomegaly)),
  goal('the null edit changes no detector', 0.95, (o) =>
    signs.every((sign) => present(o.after.null[sign]) === present(o.before[sign])),
  ),
]
const reconstruction = {
  roundTrip: mean((o) => o.roundTrip),
  reconstruction: mean((o) => o.reconstruction),
  worstLoss: Math.max(...outcomes.map((o) => o.roundTrip - o.reconstruction)),
}
const distance = Object.fromEntries(
  (Object.keys(prompts) as Edit[]).map((edit) => [
    edit,
    { edited: mean((o) => o.toTruth[edit]), unedited: mean((o) => o.unedited[edit]) },
  ]),
)
const percent = (x: number) => `${(100 * x).toFixed(0)} %`
console.log(
  `\n${outcomes.length} held-out phantoms, ${settings.steps} steps, guidance ${settings.guidance}, ` +
    `cross ${settings.crossReplace}, self ${settings.selfReplace}, skip ${settings.skip}, ${backend}\n`,
)
console.log(
  renderTable([
    ['', 'share', '95 % interval', 'aim', ''],
    ...goals.map(({ name, share, low, high, aim }) => [
      name,
      percent(share),
      `${percent(low)} to ${percent(high)}`,
      `≥ ${percent(aim)}`,
      share >= aim ? 'met' : 'missed',
    ]),
  ]),
)
console.log(
  `\nPSNR of the VAE's round trip ${reconstruction.roundTrip.toFixed(2)} dB, of the reconstruction ` +
    `${reconstruction.reconstruction.toFixed(2)} dB; largest loss ${reconstruction.worstLoss.toFixed(3)} dB (aim ≤ 0.5)`,
)
console.log('\nMean L1 distance to the true counterfactual, in [0, 1]:')
console.log(
  renderTable([
    ['edit', 'edited', 'unedited reconstruction'],
    ...Object.entries(distance).map(([edit, { edited, unedited }]) => [
      edit,
      edited.toFixed(4),
      unedited.toFixed(4),
    ]),
  ]),
)
const scores = (['before', ...Object.keys(prompts)] as const).map((name) => {
  const of = (o: Outcome) => (name === 'before' ? o.before : o.after[name as Edit])
  return { name, ...Object.fromEntries(signs.map((sign) => [sign, mean((o) => of(o)[sign])])) } as Record<
    string,
    number | string
  >
})
console.log('\nMean detector scores:')
console.log(
  renderTable([
    ['picture', ...signs],
    ...scores.map((row) => [String(row.name), ...signs.map((sign) => (row[sign] as number).toFixed(2))]),
  ]),
)
if (values.json)
  console.log(
    JSON.stringify({ settings, backend, count: outcomes.length, goals, reconstruction, distance, scores }),
  )

async function measure(patient: Patient): Promise<Outcome> {
  const image = picture(patient)
  const { reconstruction, edits } = await editPicture(sd, image, source, Object.values(prompts), settings)
  const roundTrip = tf.tidy(() => sd.decodeLatents(sd.encodeImage(image)))
  const [before] = await detectImages(reconstruction)
  const after = {} as Record<Edit, Detection>
  const toTruth = {} as Record<Edit, number>
  const unedited = {} as Record<Edit, number>
  for (const [i, edit] of (Object.keys(prompts) as Edit[]).entries()) {
    const truth = picture(counterfactual(patient, truths[edit]))
    after[edit] = (await detectImages(edits[i]!.image))[0]!
    toTruth[edit] = await l1(edits[i]!.image, truth)
    unedited[edit] = await l1(reconstruction, truth)
    truth.dispose()
  }
  const outcome = {
    roundTrip: await psnr(image, roundTrip),
    reconstruction: await psnr(image, reconstruction),
    before: before!,
    after,
    toTruth,
    unedited,
  }
  tf.dispose([image, reconstruction, roundTrip, ...edits.flatMap((edit) => [edit.image, edit.latents])])
  return outcome
}

function picture(patient: Patient): tf.Tensor4D {
  return tf.tensor4d(toRgb(draw(patient, size)), [1, size, size, 3])
}

function patientsWith(holds: (attributes: Attributes) => boolean, first: number, count: number): Patient[] {
  const found: Patient[] = []
  for (let i = first; found.length < count; i++) {
    const patient = heldOut(i)
    if (holds(patient.attributes)) found.push(patient)
  }
  return found
}

function goal(name: string, aim: number, holds: (o: Outcome) => boolean) {
  return { name, aim, ...rate(holds) }
}
