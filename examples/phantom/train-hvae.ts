/**
 * Trains the baseline's image mechanism from nothing, twice: told the graph without the pacemaker, and told the
 * whole truth. `npm run train:phantom-scm -- [--telling told] [--steps 900] [--work out/phantom-scm]`.
 *
 * Resumes where it stopped. Writes weights, config, settings and curve to `examples/phantom/scm`.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact/backend'
import { writeJson, writeSafetensors } from 'contrafact/checkpoint'
import { toTorch } from 'contrafact/nn'
import { type HvaeConfig, hvaeConfig } from 'contrafact/scm'
import { disposeTrainingState, fitHvae, initialHvae, type TrainingState } from 'contrafact/training'
import { type Telling, TOLD, trainingPhantoms } from './scm-data.js'

const { values } = parseArgs({
  options: {
    telling: { type: 'string', multiple: true, default: ['told', 'truth'] },
    steps: { type: 'string', default: '900' },
    work: { type: 'string', default: 'out/phantom-scm' },
    out: { type: 'string', default: join(import.meta.dirname, 'scm') },
  },
})
const steps = Number(values.steps)

const settings = {
  seed: 0,
  steps,
  batch: 16,
  learningRate: 4e-3,
  schedule: 'cosine',
  warmup: 30,
  beta: 1,
  betaWarmup: 300,
  ema: 0.99,
  adamW: { betas: [0.9, 0.99], weightDecay: 0.01 },
} as const

const { backend } = await useBackend()
console.log(`backend ${backend}`)
for (const telling of values.telling as Telling[]) await train(telling)

async function train(telling: Telling): Promise<void> {
  const config = phantomConfig(telling)
  const initial = initialHvae(config, settings.seed)
  const started = Date.now()
  const recent: number[] = []
  const state = await fitHvae(config, initial, trainingPhantoms(settings.batch, telling), {
    ...settings,
    settings: { ...settings, telling, config },
    mechanism: `phantom image (${telling})`,
    checkpoint: { path: join(values.work, `${telling}.safetensors`), every: 50 },
    onCheckpoint: (at) => save(telling, config, at),
    onProgress: ({ done, total, loss }) => {
      recent.push(loss!)
      if (done % 10 !== 0) return
      const mean = recent.splice(0).reduce((a, b) => a + b, 0) / 10
      const minutes = ((Date.now() - started) / 60_000).toFixed(1)
      console.log(`${minutes} min  ${telling}  ${done}/${total}  -elbo ${mean.toFixed(4)}`)
    },
  })
  await save(telling, config, state)
  disposeTrainingState(state)
  tf.dispose([...initial.values()])
}

/** Light blocks of 12 to 64 channels; latents up to 16², the residual carries what is finer. */
function phantomConfig(telling: Telling): HvaeConfig {
  return hvaeConfig({
    input_res: 64,
    enc_arch: '64b0d2,32b1d2,16b1d2,8b1d2,4b1d4,1b1',
    dec_arch: '1b1,4b1,8b2,16b1,32b1,64b1',
    widths: [12, 12, 24, 48, 64, 64],
    bottleneck: 2,
    z_dim: 4,
    z_max_res: 16,
    std_init: 0.1,
    vr: 'light',
    context_dim: TOLD[telling].length,
  })
}

async function save(
  telling: Telling,
  config: HvaeConfig,
  { average, curve, step }: TrainingState,
): Promise<void> {
  const stored = new Map([...average].map(([name, tensor]) => [name, toTorch(name, tensor)]))
  try {
    const file = join(values.out, `${telling}.safetensors`)
    await writeSafetensors(
      file,
      new Map(
        [...stored].map(([name, tensor]) => [
          name,
          { shape: tensor.shape, data: async () => (await tensor.data()) as Float32Array },
        ]),
      ),
      { dtype: 'f16' },
    )
  } finally {
    tf.dispose([...stored.values()])
  }
  await writeJson(join(values.out, `${telling}.json`), {
    command: `npm run train:phantom-scm -- --telling ${telling} --steps ${steps}`,
    backend,
    parents: TOLD[telling],
    config,
    settings,
    step,
    loss: everyTenth(curve.map(({ loss }) => loss)),
  })
}

/** Means of ten steps each, to five digits. */
function everyTenth(curve: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(curve.length / 10) }, (_, i) => {
    const ten = curve.slice(10 * i, 10 * i + 10)
    return Number((ten.reduce((a, b) => a + b, 0) / ten.length).toPrecision(5))
  })
}
