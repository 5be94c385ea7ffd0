/**
 * Both rivals on the same held-out phantoms: `npx tsx examples/phantom/counterfactual-table.ts [--count 40]
 * [--diffusion 10] [--telling told]`.
 *
 * Each patient has sex, heart, effusion and age set to the other value, one at a time, by the structural causal
 * model and by the diffusion editor. The detectors read the answer (effectiveness), the answer is compared with the
 * picture that only a phantom has (error), and with what undoing it and doing nothing give back (reversibility,
 * composition). Intervals are 95 % bootstrap intervals over patients.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { loadStableDiffusion, useBackend } from 'contrafact'
import { readJsonObject } from 'contrafact/checkpoint'
import { torchRandn } from 'contrafact/core'
import { bootstrap, mean } from 'contrafact/metrics'
import { hvaeConfig, hvaeMechanism, loadHvae } from 'contrafact/scm'
import { defaults, editPicture, l1 } from '../support/edit-picture.js'
import { renderTable } from '../support/page.js'
import { type Attributes, counterfactual, heldOut, type Patient } from './causal-graph.js'
import { toRgb } from './dataset.js'
import { type Detection, detectImages } from './detectors.js'
import { draw } from './draw.js'
import { encodeParents, type Telling } from './scm-data.js'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '40' },
    diffusion: { type: 'string', default: '10' },
    telling: { type: 'string', default: 'told' },
    scm: { type: 'string', default: join(import.meta.dirname, 'scm') },
    model: { type: 'string', default: join(import.meta.dirname, 'model') },
    steps: { type: 'string', default: String(defaults.steps) },
  },
})
const telling = values.telling as Telling
const size = 64

/** A picture changed from some attributes to others; the tensors belong to the caller. */
type Editor = (image: tf.Tensor4D, from: Attributes, to: Attributes, seed: number) => Promise<tf.Tensor4D>

const questions = {
  sex: (a: Attributes) => ({ sex: a.sex === 'male' ? 'female' : 'male' }) as Partial<Attributes>,
  cardiomegaly: (a: Attributes) => ({ cardiomegaly: !a.cardiomegaly }),
  effusion: (a: Attributes) => ({ effusion: !a.effusion }),
  age: (a: Attributes) => ({ age: a.age < 55 ? a.age + 35 : a.age - 35 }),
} as const
type Question = keyof typeof questions

/** What one patient and question gave. */
interface Row {
  readonly right: number
  readonly error: number
  readonly unedited: number
  readonly reversed: number
}

const { backend } = await useBackend()
const { config: json, step } = await readJsonObject(join(values.scm, `${telling}.json`))
using model = await loadHvae(join(values.scm, `${telling}.safetensors`), hvaeConfig(json))
const mechanism = hvaeMechanism(model)
console.log(`${backend}; image mechanism (${telling}) after ${step} steps`)

const scm: Editor = async (image, from, to, seed) =>
  tf.tidy(() => {
    const parents = (attributes: Attributes) => ({ all: tf.tensor2d([encodeParents(attributes, telling)]) })
    const grey = tf.mean<tf.Tensor4D>(image, 3, true)
    const noise = mechanism.abduct(grey, parents(from), torchRandn(seed))
    return tf.tile(mechanism.predict(noise, parents(to)) as tf.Tensor4D, [1, 1, 1, 3])
  })
await report('structural causal model', scm, Number(values.count))

if (Number(values.diffusion) > 0) {
  const sd = await loadStableDiffusion(values.model)
  const settings = { ...defaults, steps: Number(values.steps) }
  const diffusion: Editor = async (image, from, to) => {
    const { reconstruction, edits } = await editPicture(sd, image, told(from), [told(to)], settings)
    tf.dispose([reconstruction, edits[0]!.latents])
    return edits[0]!.image
  }
  await report('diffusion editor', diffusion, Number(values.diffusion))
  sd.dispose()
}

async function report(name: string, edit: Editor, count: number): Promise<void> {
  const table = [['intervention', 'effectiveness', 'error to truth', 'unedited', 'reversibility']]
  const patients = Array.from({ length: count }, (_, i) => heldOut(i))
  for (const question of Object.keys(questions) as Question[]) {
    const rows: Row[] = []
    for (const each of patients) rows.push(await ask(edit, each, question))
    const cell = (field: keyof Row) => interval(rows.map((row) => row[field]))
    const right = question === 'age' ? `off by ${cell('right')} years` : cell('right')
    table.push([question, right, cell('error'), cell('unedited'), cell('reversed')])
  }
  const same: number[] = []
  for (const each of patients) same.push(await nullEdit(edit, each))
  console.log(`\n${name}, ${count} held-out phantoms; distances are mean L1 in [0, 1]\n`)
  console.log(renderTable(table))
  console.log(`composition (a null intervention's distance): ${interval(same)}`)
}

async function ask(edit: Editor, each: Patient, question: Question): Promise<Row> {
  const action = questions[question](each.attributes)
  const [from, to] = [each.attributes, { ...each.attributes, ...action }]
  const [image, truth] = [picture(each), picture(counterfactual(each, action))]
  const answer = await edit(image, from, to, each.seed)
  const back = await edit(answer, to, from, each.seed)
  const [seen] = await detectImages(answer)
  const row = {
    right: right(seen!, to, question),
    error: await l1(answer, truth),
    unedited: await l1(image, truth),
    reversed: await l1(back, image),
  }
  tf.dispose([image, truth, answer, back])
  return row
}

async function nullEdit(edit: Editor, each: Patient): Promise<number> {
  const image = picture(each)
  const same = await edit(image, each.attributes, each.attributes, each.seed)
  const distance = await l1(same, image)
  tf.dispose([image, same])
  return distance
}

/** 1 or 0 for a sign that reads as it was set; years of error for age. */
function right(seen: Detection, to: Attributes, question: Question): number {
  if (question === 'age') return Math.abs(seen.age - to.age)
  if (question === 'sex') return Number(seen.female > 0.5 === (to.sex === 'female'))
  return Number(seen[question] > 0.5 === to[question])
}

/** The caption that tells everything a caption may. */
function told(a: Attributes): string {
  const facts = [
    [a.cardiomegaly, 'cardiomegaly'],
    [a.pacemaker || a.line, 'support devices'],
    [a.effusion, 'pleural effusion'],
  ] as const
  const [first, second, third] = facts.map(([present, name]) => (present ? name : `no ${name}`))
  return `Chest X-ray of ${a.age}-years old ${a.sex} subject with ${first}, ${second} and ${third}.`
}

function interval(rows: readonly number[]): string {
  const { estimate, interval } = bootstrap({ rows, statistic: mean })
  const [low, high] = Object.values(interval) as [number, number]
  const digits = Math.abs(estimate) >= 1 ? 1 : 3
  return `${estimate.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

function picture(each: Patient): tf.Tensor4D {
  return tf.tensor4d(toRgb(draw(each, size)), [1, size, size, 3])
}
