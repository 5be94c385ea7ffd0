/**
 * A training step and a counterfactual of the image mechanism at mimic192's shapes:
 * `npx tsx bench/hvae/ours.ts [--batch 4] [--repeats 3]`; beside it `peer.py`. Medians in seconds, after one warm-up.
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

const training: number[] = []
let last = performance.now()
const state = await fitHvae(config, initial, () => ({ x: picture(), parents: people() }), {
  steps: repeats + 1,
  learningRate: 1e-3,
  seed: 0,
  onProgress: () => {
    training.push((performance.now() - last) / 1000)
    last = performance.now()
  },
})
disposeTrainingState(state)

const model = hvae(config, initial)
const predicting: number[] = []
for (let i = 0; i <= repeats; i++) {
  const [x, pa, others] = [picture(), people(), people()]
  const started = performance.now()
  const { image, variance } = hvaeCounterfactual(model, x, pa, others, { draw: torchNoise(torchRandn(i)) })
  await image.data()
  predicting.push((performance.now() - started) / 1000)
  tf.dispose([x, pa, others, image, variance])
}
const median = (seconds: number[]) => seconds.slice(1).sort((a, b) => a - b)[Math.floor(repeats / 2)]!
console.log(JSON.stringify({ backend, batch, step: median(training), counterfactual: median(predicting) }))
