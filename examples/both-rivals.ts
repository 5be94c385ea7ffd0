/**
 * The paper's figure 2 in form: one patient's sex, effusion and age set, by the structural causal model and by the
 * diffusion editor, with signed difference maps, beside the true counterfactual that only a phantom has.
 *
 *   npm run rivals
 *   npm run rivals -- --patient 7 --telling truth --out out/rivals
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { loadStableDiffusion, useBackend } from 'contrafact'
import { type AttributeValue, type Intervention, writeAtomically } from 'contrafact/core'
import { differenceMap, encodePng, renderDifferenceMap, sideBySide } from 'contrafact/image'
import type { Answerer } from 'contrafact/scm'
import { type Attributes, counterfactual, heldOut, type Patient } from './phantom/causal-graph.js'
import { type Detection, detectImages } from './phantom/detectors.js'
import { diffusionRival, factsOf, loadScm, SCM_FOLDER, scmRival } from './phantom/rivals.js'
import { pictures, type Telling, TOLD } from './phantom/scm-data.js'
import { QUESTIONS, verdict } from './phantom/scm-effectiveness.js'
import { defaults, l1 } from './support/edit-picture.js'
import { type PageRow, renderPage, renderTable } from './support/page.js'

const SCALE = 4
/** Differences beyond this are drawn in the darkest colour. */
const RANGE = 0.5

const { values } = parseArgs({
  options: {
    patient: { type: 'string', default: '6' },
    telling: { type: 'string', default: 'told' },
    scm: { type: 'string', default: SCM_FOLDER },
    model: { type: 'string', default: join(import.meta.dirname, 'phantom/model') },
    out: { type: 'string', default: 'out/rivals' },
  },
})
const patient = heldOut(Number(values.patient))
const { backend } = await useBackend()
using graph = await loadScm(values.telling as Telling, {}, values.scm)
const sd = await loadStableDiffusion(values.model)
const rivals: Readonly<Record<string, Answerer>> = {
  'causal model': scmRival(graph, 1),
  'diffusion editor': diffusionRival(sd, defaults),
}

const rows: PageRow[] = []
const table = [['', 'read by the detectors', 'should be', 'distance to the truth']]
const record: unknown[] = []
const picture = pictures([patient])
for (const question of ['sex', 'effusion', 'age'] as const) {
  const action = QUESTIONS[question](patient.attributes)
  const heading = `do(${question} = ${wordOf(action[question]!)}), from ${wordOf(patient.attributes[question])}`
  const truth = pictures([counterfactual(patient, action)])
  for (const [name, answer] of Object.entries(rivals)) {
    const interventions = setting(patient, action)
    const result = await answer({ image: picture, attributes: factsOf(patient), interventions })
    await show(`${heading}: ${name}`, result.reconstruction, result.image)
    await tell(`${heading}: ${name}`, result.image)
    record.push({ question, method: result.method, provenance: result.provenance })
    tf.dispose([result.factual, result.reconstruction, result.image])
  }
  await show(`${heading}: the true counterfactual`, picture, truth)
  await tell(`${heading}: the truth`, truth)
  truth.dispose()

  async function tell(name: string, image: Tensor4D): Promise<void> {
    const [seen] = await detectImages(image)
    const [is, should] = verdict(seen as Detection, { ...patient.attributes, ...action }, question)
    table.push([name, is.toFixed(2), String(should), (await l1(image, truth)).toFixed(4)])
  }
}
picture.dispose()
sd.dispose()

const page = renderPage({
  title: 'One intervention, both rivals',
  lead:
    `Held-out phantom ${values.patient}: ${Object.entries(patient.attributes)
      .map(([name, value]) => `${name} ${wordOf(value)}`)
      .join(', ')}. One attribute is set and all others are held. ` +
    'Difference maps: red where the answer is brighter than the method’s own reconstruction, blue where darker.',
  rows,
  table,
  record: { backend, patient: Number(values.patient), telling: values.telling, answers: record },
})
await writeAtomically(join(values.out, 'index.html'), page)
console.log(renderTable(table))
console.log(`\n${join(values.out, 'index.html')}`)

/** One attribute set, the picture's other causes held, as far as the rival knows of them. */
function setting({ attributes }: Patient, action: Partial<Attributes>): Intervention[] {
  return TOLD.truth.map((attribute) => ({
    attribute,
    from: attributes[attribute],
    to: action[attribute] ?? attributes[attribute],
  }))
}

function wordOf(value: AttributeValue): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}

/** A row of the page: the picture, the answer, and what changed against the method's own reconstruction. */
async function show(heading: string, reconstruction: Tensor4D, answer: Tensor4D): Promise<void> {
  const difference = differenceMap(reconstruction, answer)
  const map = await renderDifferenceMap(difference, { range: RANGE, scale: SCALE })
  rows.push({
    heading,
    figures: [
      { png: await enlarged(picture), caption: 'as it is' },
      { png: await enlarged(answer), caption: 'as it would be' },
      { png: await encodePng(map), caption: 'change' },
    ],
  })
  tf.dispose([difference, map])
}

async function enlarged(image: Tensor4D): Promise<Uint8Array> {
  const large = await sideBySide([image], { scale: SCALE, gap: 0 })
  const png = await encodePng(large)
  large.dispose()
  return png
}
