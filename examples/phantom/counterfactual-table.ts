/**
 * Both rivals on the same held-out phantoms:
 * `npm run counterfactual-table -- [--count 40] [--diffusion 10] [--work out/counterfactual-table]`.
 *
 * Each patient gets the other sex, heart, angle of the diaphragm, and 35 years more or fewer, one at a time with all
 * else held, from the structural causal model (told the graph without the pacemaker; told the whole truth; and with a
 * tenth of the residual, causal-gen's evaluation) and from the diffusion editor. Then age and effusion are set with
 * their effects let through. What the detectors read is kept patient by patient, so that a run goes on where it was
 * stopped. Intervals are 95 % bootstrap intervals over patients.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { loadStableDiffusion, useBackend } from 'contrafact'
import { fileExists, readJsonObject, writeJson } from 'contrafact/checkpoint'
import { bootstrap, mean, rocAuc } from 'contrafact/metrics'
import type { Answerer, CounterfactualResult } from 'contrafact/scm'
import { defaults, l1 } from '../support/edit-picture.js'
import { renderTable } from '../support/page.js'
import { type AttributeName, type Attributes, counterfactual, heldOut, type Patient } from './causal-graph.js'
import { type Detection, detectImages } from './detectors.js'
import { diffusionRival, factsOf, loadScm, SCM_FOLDER, scmRival } from './rivals.js'
import { pictures, type Telling, TOLD } from './scm-data.js'
import { QUESTIONS, type Question, verdict } from './scm-effectiveness.js'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '40' },
    diffusion: { type: 'string', default: '10' },
    first: { type: 'string', default: '0' },
    scm: { type: 'string', default: SCM_FOLDER },
    model: { type: 'string', default: join(import.meta.dirname, 'model') },
    steps: { type: 'string', default: String(defaults.steps) },
    work: { type: 'string', default: 'out/counterfactual-table' },
  },
})
const first = Number(values.first)

/** What one question gave for one patient. Distances are mean absolute differences of pictures in [0, 1]. */
interface Answered {
  readonly to: Attributes
  readonly before: Detection
  readonly after: Detection
  /** The detectors on the true counterfactual: as good as any answer can read. */
  readonly truth: Detection
  readonly error: number
  readonly unedited: number
  readonly reversed: number
}

/** All of one patient. */
interface Row {
  readonly composition: number
  readonly questions: Readonly<Record<Question, Answered>>
  /** Graphs only: do(age) and do(effusion) with their effects let through. */
  readonly propagated?: Readonly<Record<'age' | 'effusion', Propagated>>
}

interface Propagated {
  /** Change of effusion, and of age in years: as the graph answers, as the detectors see, in truth. */
  readonly effusion: Readonly<Record<'answered' | 'seen' | 'truth', number>>
  readonly age: Readonly<Record<'answered' | 'seen' | 'truth', number>>
}

interface Rival {
  readonly name: string
  readonly count: number
  readonly settings: Readonly<Record<string, unknown>>
  /** Whether effects can be let through. */
  readonly causal: boolean
  readonly answer: (seed: number) => Answerer
  readonly dispose: () => void
}

const { backend } = await useBackend()
const rivals: readonly (readonly [name: string, load: () => Promise<Rival | undefined>])[] = [
  ['SCM, told the graph', () => scm('told', 1)],
  ['SCM, the same, residual × 0.1', () => scm('told', 0.1)],
  ['SCM, told the whole truth', () => scm('truth', 1)],
  ['diffusion editor', diffusion],
]
const found = new Map<string, readonly Row[]>()
for (const [name, load] of rivals) {
  const rival = await load()
  if (!rival) {
    console.log(`${name}: left out, for it is not there or none were asked for`)
    continue
  }
  found.set(name, await rowsOf(rival))
  rival.dispose()
}
report()

async function scm(telling: Telling, residual: number): Promise<Rival | undefined> {
  if (!(await fileExists(join(values.scm, `${telling}.json`)))) return undefined
  const graph = await loadScm(telling, { residual }, values.scm)
  const { settings } = await readJsonObject(join(values.scm, `${telling}.json`))
  return {
    name: `scm-${telling}-${residual}`,
    count: Number(values.count),
    settings: { telling, residual, settings },
    causal: true,
    answer: (seed) => scmRival(graph, seed),
    dispose: () => graph.dispose(),
  }
}

async function diffusion(): Promise<Rival | undefined> {
  const count = Number(values.diffusion)
  if (count === 0) return undefined
  const settings = { ...defaults, steps: Number(values.steps) }
  const sd = await loadStableDiffusion(values.model)
  return {
    name: 'diffusion',
    count,
    settings,
    causal: false,
    answer: () => diffusionRival(sd, settings),
    dispose: () => sd.dispose(),
  }
}

/** The rows of a rival; those that an earlier run left are not made again. */
async function rowsOf({ name, count, settings, causal, answer }: Rival): Promise<Row[]> {
  const path = join(values.work, `${name}.json`)
  const key = JSON.stringify({ backend, first, settings })
  const kept = (await fileExists(path)) ? await readJsonObject(path) : {}
  const rows = kept.key === key ? [...(kept.rows as Row[])] : []
  for (let i = rows.length; i < count; i++) {
    const patient = heldOut(first + i)
    rows.push(await measure(answer(patient.seed + 1), patient, causal))
    await writeJson(path, { key, rows })
    if (process.stderr.isTTY) process.stderr.write(`\r${name} ${rows.length}/${count} `)
  }
  return rows.slice(0, count)
}

async function measure(answer: Answerer, patient: Patient, causal: boolean): Promise<Row> {
  const questions = {} as Record<Question, Answered>
  let composition = Number.NaN
  for (const question of Object.keys(QUESTIONS) as Question[]) {
    const action = QUESTIONS[question](patient.attributes)
    const truth = pictures([counterfactual(patient, action)])
    const result = await hold(answer, patient, action)
    const [there, self] = [result.image, result.factual]
    const changed = { ...patient, attributes: { ...patient.attributes, ...action } }
    const undone = await hold(answer, changed, pick(patient.attributes, action), there)
    const [before, after, ideal] = await read(self, there, truth)
    composition = await l1(result.reconstruction, self)
    questions[question] = {
      to: changed.attributes,
      before: before!,
      after: after!,
      truth: ideal!,
      error: await l1(there, truth),
      unedited: await l1(self, truth),
      reversed: await l1(undone.image, self),
    }
    dispose(result, undone)
    truth.dispose()
  }
  if (!causal) return { composition, questions }
  const { age, effusion } = patient.attributes
  return {
    composition,
    questions,
    propagated: {
      age: await propagate(answer, patient, { age: age < 55 ? 80 : 30 }),
      effusion: await propagate(answer, patient, { effusion: !effusion }),
    },
  }
}

/** Sets what is asked and holds every other parent of the picture at its fact. */
async function hold(
  answer: Answerer,
  patient: Patient,
  action: Partial<Attributes>,
  image?: tf.Tensor4D,
): Promise<CounterfactualResult> {
  const picture = image ?? pictures([patient])
  const names = TOLD.truth as readonly AttributeName[]
  const { attributes } = patient
  const interventions = names.map((attribute) => ({
    attribute,
    from: attributes[attribute],
    to: action[attribute] ?? attributes[attribute],
  }))
  try {
    return await answer({ image: picture, attributes: factsOf(patient), interventions })
  } finally {
    if (!image) picture.dispose()
  }
}

/** Sets what is asked and lets its effects through, beside what the generator itself makes of it. */
async function propagate(
  answer: Answerer,
  patient: Patient,
  action: Partial<Attributes>,
): Promise<Propagated> {
  const picture = pictures([patient])
  const [[attribute, to]] = Object.entries(action) as [[AttributeName, number | boolean]]
  const interventions = [{ attribute, from: patient.attributes[attribute], to }]
  const result = await answer({ image: picture, attributes: factsOf(patient), interventions })
  const true_ = counterfactual(patient, action, { propagate: true }).attributes
  const [before, after] = await read(result.factual, result.image)
  dispose(result)
  picture.dispose()
  const { age, effusion } = patient.attributes
  const sign = (seen: Detection) => Number(seen.effusion > 0.5)
  return {
    effusion: {
      answered: Number(result.attributes.effusion) - Number(effusion),
      seen: sign(after!) - sign(before!),
      truth: Number(true_.effusion) - Number(effusion),
    },
    age: {
      answered: Number(result.attributes.age) - age,
      seen: after!.age - before!.age,
      truth: true_.age - age,
    },
  }
}

async function read(...images: readonly tf.Tensor4D[]): Promise<Detection[]> {
  const all = tf.concat4d([...images], 0)
  try {
    return await detectImages(all)
  } finally {
    all.dispose()
  }
}

function report(): void {
  const counts = [...found].map(([name, rows]) => `${name}: ${rows.length}`).join('; ')
  console.log(`${backend}; held-out phantoms: ${counts}`)
  for (const question of Object.keys(QUESTIONS) as Question[]) {
    const read = question === 'age' ? 'error, years' : 'AUC'
    const table = [['', `effectiveness (${read})`, 'error to truth', 'unedited', 'reversibility']]
    for (const [name, rows] of found) {
      const of = rows.map((row) => row.questions[question])
      const cell = (field: 'error' | 'unedited' | 'reversed') => interval(of.map((each) => each[field]))
      table.push([
        name,
        effectiveness(of, question, 'after'),
        cell('error'),
        cell('unedited'),
        cell('reversed'),
      ])
    }
    const [, longest] = [...found].sort(([, a], [, b]) => b.length - a.length)[0]!
    const ideal = longest.map((row) => row.questions[question])
    table.push(['the true counterfactual', effectiveness(ideal, question, 'truth'), '0', '', ''])
    console.log(`\ndo(${question}), all else held\n`)
    console.log(renderTable(table))
  }
  console.log('\nComposition (distance of the answer to no intervention)\n')
  const composed = [...found].map(([name, rows]) => [name, interval(rows.map((row) => row.composition))])
  console.log(renderTable([['', 'L1'], ...composed]))
  console.log('\nEffects let through: mean change\n')
  const effects = [['', 'answered', 'seen by the detectors', 'in truth']]
  for (const [name, rows] of found) {
    if (!rows[0]!.propagated) continue
    const cells = (changes: readonly Propagated['age'][]) =>
      (['answered', 'seen', 'truth'] as const).map((who) => interval(changes.map((each) => each[who])))
    for (const [years, chosen] of [
      [80, rows.filter(madeOld)],
      [30, rows.filter((row) => !madeOld(row))],
    ] as const)
      effects.push([
        `${name}: do(age = ${years}) on effusion`,
        ...cells(chosen.map(({ propagated }) => propagated!.age.effusion)),
      ])
    effects.push([
      `${name}: do(effusion) on age, years`,
      ...cells(rows.map(({ propagated }) => propagated!.effusion.age)),
    ])
  }
  console.log(renderTable(effects))
}

/** Made older, or made younger: the effects have opposite signs. */
function madeOld({ questions }: Row): boolean {
  return questions.age.to.age > 55
}

function effectiveness(of: readonly Answered[], question: Question, which: 'after' | 'truth'): string {
  const pairs = of.map((each) => verdict(each[which], each.to, question))
  if (question === 'age') return interval(pairs.map(([seen, should]) => Math.abs(seen - should)))
  return bounds(
    bootstrap({
      rows: pairs,
      statistic: (rows) =>
        rocAuc(
          rows.map(([score]) => score),
          rows.map(([, label]) => label),
        ),
    }),
  )
}

function interval(rows: readonly number[]): string {
  return bounds(bootstrap({ rows, statistic: mean }))
}

function bounds({ estimate, interval: { low, high } }: ReturnType<typeof bootstrap>): string {
  const digits = Math.abs(estimate) >= 2 ? 1 : 3
  if (Number.isNaN(low)) return estimate.toFixed(digits)
  return `${estimate.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

function pick(from: Attributes, like: Partial<Attributes>): Partial<Attributes> {
  return Object.fromEntries(Object.keys(like).map((name) => [name, from[name as AttributeName]]))
}

function dispose(...results: readonly CounterfactualResult[]): void {
  for (const { factual, reconstruction, image } of results) tf.dispose([factual, reconstruction, image])
}
