/**
 * Trains the baseline on the phantoms from nothing, twice: told the graph without the pacemaker, and told the whole
 * truth. `npm run train:phantom-scm -- [--telling told] [--seed 0] [--steps 5000] [--tuning 25] [--work out/phantom-scm]`.
 *
 * Four fits each, causal-gen's own order: the attributes' mechanisms; the picture's; readers of the picture's causes;
 * and counterfactual fine-tuning of the picture against those readers. Each resumes where it stopped. Weights, config,
 * settings, curves and what the detectors say of counterfactuals go to `examples/phantom/scm`.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact/backend'
import { writeJson, writeSafetensors } from 'contrafact/checkpoint'
import {
  type CausalGraph,
  causalGraph,
  type HvaeConfig,
  hvae,
  hvaeConfig,
  hvaeMechanism,
  saveHvae,
} from 'contrafact/scm'
import {
  disposeTrainingState,
  fitCounterfactual,
  fitHvae,
  fitPredictors,
  initialHvae,
  initialPredictors,
  LAGRANGE,
  type TrainingState,
} from 'contrafact/training'
import { training } from './causal-graph.js'
import { type Telling, TOLD, trainingPhantoms, trainingValues } from './scm-data.js'
import { effectivenessOf } from './scm-effectiveness.js'
import { fittedGraph, graphOf } from './scm-graph.js'

const { values } = parseArgs({
  options: {
    telling: { type: 'string', multiple: true, default: ['told', 'truth'] },
    seed: { type: 'string', default: '0' },
    steps: { type: 'string', default: '5000' },
    tuning: { type: 'string', default: '25' },
    work: { type: 'string', default: 'out/phantom-scm' },
    out: { type: 'string', default: join(import.meta.dirname, 'scm') },
  },
})
const [seed, steps] = [Number(values.seed), Number(values.steps)]

const settings = {
  picture: {
    seed,
    steps,
    batch: 8,
    learningRate: 5e-3,
    schedule: 'cosine',
    warmup: 50,
    // High at first, when the parents are the only cheap way to say anything; latents come in as it falls.
    beta: { from: 20, to: 1.5, falls: 0.6 },
    clip: 20,
    ema: 0.99,
    adamW: { betas: [0.9, 0.99], weightDecay: 0.01 },
  },
  readers: {
    seed: seed + 1,
    steps: 300,
    batch: 16,
    learningRate: 4e-3,
    schedule: 'cosine',
    warmup: 20,
    ema: 0.98,
  },
  tuning: {
    seed: seed + 2,
    steps: Number(values.tuning),
    batch: 8,
    learningRate: 5e-4,
    schedule: 'cosine',
    warmup: 10,
    clip: 20,
    ema: 0.9,
    adamW: { betas: [0.9, 0.99], weightDecay: 0.01 },
  },
} as const

const { backend } = await useBackend()
console.log(`backend ${backend}`)
// Phantoms beyond those that training draws; the held-out split is for the table.
const watched = Array.from({ length: 96 }, (_, i) => training(5000 + i))
for (const telling of values.telling as Telling[]) await train(telling)

async function train(telling: Telling): Promise<void> {
  const config = phantomConfig(telling)
  using attributes = await fittedGraph(() => graphOf(telling), 4096)
  const fitted = await fitPicture(telling, config)
  console.log(telling, 'before tuning', await effectivenessOf(hvae(config, fitted.average), telling, watched))
  const readers = await fitReaders(telling)
  const tuned = await tune(telling, config, attributes, fitted, readers)
  const found = await effectivenessOf(hvae(config, weightsOf(tuned)), telling, watched)
  console.log(telling, 'after tuning', found)
  await save(telling, config, attributes, { fitted, readers, tuned }, found)
  for (const state of [fitted, readers, tuned]) disposeTrainingState(state)
}

async function fitPicture(telling: Telling, config: HvaeConfig): Promise<TrainingState> {
  const { beta, ...rest } = settings.picture
  const initial = initialHvae(config, rest.seed, { places: 'cosines' })
  try {
    return await fitHvae(config, initial, trainingPhantoms(rest.batch, telling), {
      ...rest,
      // A geometric fall over a part of the steps.
      beta: (step) => beta.from * (beta.to / beta.from) ** Math.min(1, step / (beta.falls * steps)),
      settings: { ...settings.picture, telling, config },
      mechanism: `phantom picture (${telling})`,
      checkpoint: { path: join(values.work, `${telling}-picture.safetensors`), every: 100 },
      onProgress: progress(`${telling} picture`),
    })
  } finally {
    tf.dispose([...initial.values()])
  }
}

function readersOf(telling: Telling) {
  const binary = { kind: 'binary', width: 1 } as const
  const heads = TOLD[telling].map(
    (name) => [name, name === 'age' ? ({ kind: 'normal', width: 1 } as const) : binary] as const,
  )
  return { widths: [12, 24, 48, 64], channels: 1, heads: Object.fromEntries(heads) }
}

async function fitReaders(telling: Telling): Promise<TrainingState> {
  const config = readersOf(telling)
  const initial = initialPredictors(config, settings.readers.seed)
  const drawn = trainingValues(settings.readers.batch, TOLD[telling])
  try {
    return await fitPredictors(
      config,
      initial,
      (step, random) => {
        const { image, ...others } = drawn(step, random)
        return { x: image as tf.Tensor4D, values: others }
      },
      {
        ...settings.readers,
        settings: { ...settings.readers, telling },
        checkpoint: { path: join(values.work, `${telling}-readers.safetensors`), every: 100 },
        onProgress: progress(`${telling} readers`),
      },
    )
  } finally {
    tf.dispose([...initial.values()])
  }
}

async function tune(
  telling: Telling,
  config: HvaeConfig,
  attributes: CausalGraph,
  fitted: TrainingState,
  readers: TrainingState,
): Promise<TrainingState> {
  const mechanism = hvaeMechanism(hvae(config, fitted.average))
  const graph = causalGraph({ ...attributes.variables, image: { parents: [...TOLD[telling]], mechanism } })
  const last = fitted.curve.slice(-100)
  const constraint = last.reduce((sum, { loss }) => sum + loss, 0) / last.length
  return await fitCounterfactual(
    {
      graph,
      image: 'image',
      config,
      predictors: { config: readersOf(telling), parameters: readers.average },
    },
    fitted.average,
    trainingValues(settings.tuning.batch, attributes.order),
    {
      ...settings.tuning,
      constraint,
      beta: settings.picture.beta.to,
      settings: { ...settings.tuning, telling, config, constraint },
      checkpoint: { path: join(values.work, `${telling}-tuned.safetensors`), every: 25 },
      onCheckpoint: async (at) => {
        console.log(await effectivenessOf(hvae(config, weightsOf(at)), telling, watched))
      },
      onProgress: progress(`${telling} tuning`),
    },
  )
}

/** The picture's weights of a tuned state, without the multiplier. */
function weightsOf({ average }: TrainingState): Map<string, tf.Tensor> {
  return new Map([...average].filter(([name]) => name !== LAGRANGE))
}

function progress(stage: string) {
  const started = Date.now()
  const recent: number[] = []
  return ({ done, total, loss }: { done: number; total: number; loss?: number }) => {
    recent.push(loss!)
    if (done % 10 !== 0) return
    const mean = recent.reduce((a, b) => a + b, 0) / recent.splice(0).length
    const minutes = ((Date.now() - started) / 60_000).toFixed(1)
    console.log(`${minutes} min  ${stage}  ${done}/${total}  loss ${mean.toFixed(4)}`)
  }
}

/** Light blocks of 16 to 64 channels; latents up to 8², the residual carries what is finer. */
function phantomConfig(telling: Telling): HvaeConfig {
  return hvaeConfig({
    input_res: 64,
    enc_arch: '64b0d2,32b0d2,16b1d2,8b1d8,1b1',
    dec_arch: '1b1,8b2,16b2,32b1,64b1',
    widths: [16, 16, 32, 64, 64],
    bottleneck: 2,
    z_dim: 8,
    z_max_res: 8,
    std_init: 0.5,
    vr: 'light',
    context_dim: TOLD[telling].length,
  })
}

async function save(
  telling: Telling,
  config: HvaeConfig,
  attributes: CausalGraph,
  { fitted, readers, tuned }: Record<'fitted' | 'readers' | 'tuned', TrainingState>,
  effectiveness: unknown,
): Promise<void> {
  const file = (name: string) => join(values.out, name)
  await saveHvae(file(`${telling}.safetensors`), { named: weightsOf(tuned) }, 'f16')
  await writeSafetensors(file(`${telling}-attributes.safetensors`), attributes.parameters)
  await writeJson(file(`${telling}.json`), {
    command: `npm run train:phantom-scm -- --telling ${telling} --seed ${seed} --steps ${steps} --tuning ${settings.tuning.steps}`,
    backend,
    parents: TOLD[telling],
    config,
    settings,
    effectiveness,
    curves: {
      picture: everyTenth(fitted),
      readers: everyTenth(readers),
      tuning: everyTenth(tuned),
    },
  })
}

/** Mean losses of ten steps each, to five digits. */
function everyTenth({ curve }: TrainingState): number[] {
  return Array.from({ length: Math.ceil(curve.length / 10) }, (_, i) => {
    const ten = curve.slice(10 * i, 10 * i + 10)
    return Number((ten.reduce((sum, { loss }) => sum + loss, 0) / ten.length).toPrecision(5))
  })
}
