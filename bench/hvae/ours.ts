/**
 * A training step and a counterfactual of the image mechanism at mimic192's shapes:
 * `npx tsx bench/hvae/ours.ts [--batch 4] [--repeats 3]`;
 * beside it `peer.py`. Medians in seconds after
 * one warm-up: by the clock, and of processor time, which a busy machine leaves alone. `TF_NUM_INTRAOP_THREADS=2`.
 */
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from '../../src/backend/index.js'
import { torchRandn } from '../../src/core/index.js'
import { hvae, hvaeConfig, hvaeCounterfactual, hvaePresets, torchNoise } from '../../src/scm/index.js'
import { disposeTrainingState, fitHvae, initialHvae } from '../../src/training/index.js'

const { values } = parseArgs({
  options: { batch: { type: 'string', default: '4' }, repeats: { type: 'string', default: '3' } },
})
const [batch, repeats] = [Number(values.batch), Number(values.repeats)]
const { backend } = await useBackend()
const config = hvaeConfig(hvaePresets.mimic192)
const initial = initialHvae(config, 0)
const picture = () => tf.randomUniform<tf.Rank.R4>([batch, 192, 192, 1], 0, 1, 'float32', 1)
const people = () => tf.randomUniform<tf.Rank.R2>([batch, 6], -1, 1, 'float32', 2)

/** Seconds by the clock and of processor time. */
type Moment = readonly [clock: number, processor: number]
const now = (): Moment => {
  const { user, system } = process.cpuUsage()
  return [performance.now() / 1000, (user + system) / 1e6]
}
const since = ([clock, processor]: Moment): Moment => {
  const [later, used] = now()
  return [later - clock, used - processor]
}

const training: Moment[] = []
let last = now()
const state = await fitHvae(config, initial, () => ({ x: picture(), parents: people() }), {
  steps: repeats + 1,
  learningRate: 1e-3,
  seed: 0,
  onProgress: () => {
    training.push(since(last))
    last = now()
  },
})
disposeTrainingState(state)

const model = hvae(config, initial)
const predicting: Moment[] = []
for (let i = 0; i <= repeats; i++) {
  const [x, pa, others] = [picture(), people(), people()]
  const started = now()
  const { image, variance } = hvaeCounterfactual(model, x, pa, others, { draw: torchNoise(torchRandn(i)) })
  await image.data()
  predicting.push(since(started))
  tf.dispose([x, pa, others, image, variance])
}
const median = (moments: readonly Moment[], which: 0 | 1) =>
  moments
    .slice(1)
    .map((moment) => moment[which])
    .sort((a, b) => a - b)[Math.floor(repeats / 2)]!
const both = (moments: readonly Moment[]) => ({ clock: median(moments, 0), processor: median(moments, 1) })
console.log(JSON.stringify({ backend, batch, step: both(training), counterfactual: both(predicting) }))
