import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { type UNetParameters, unetConfig, unetShapes } from '../../src/models/index.js'
import { parameterTree, toTorch } from '../../src/nn/index.js'
import { cumulativeAlphas } from '../../src/schedulers/index.js'
import { denoisingLoss, disposeTrainingState, fit, type Objective } from '../../src/training/index.js'
import { hashInput, hashWeights } from '../support/name-hash.js'

interface Golden {
  readonly timesteps: readonly (readonly [number, number])[]
  readonly losses: readonly number[]
  readonly gradientNorms: readonly number[]
  readonly weights: Readonly<Record<string, { first: readonly number[]; sum: number; norm: number }>>
}
const goldens: Record<'v_prediction' | 'epsilon', Golden> = JSON.parse(
  readFileSync(new URL('../fixtures/adamw.json', import.meta.url), 'utf8'),
)
const config = unetConfig({
  block_out_channels: [4, 8],
  layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
  cross_attention_dim: 8,
  norm_num_groups: 2,
})

test.each(['v_prediction', 'epsilon'] as const)(
  'ten steps of AdamW on a UNet equal PyTorch’s: %s',
  async (kind) => {
    const golden = goldens[kind]
    const alphas = cumulativeAlphas({})
    const objective: Objective<{
      latents: tf.Tensor4D
      noise: tf.Tensor4D
      context: tf.Tensor3D
      timesteps: number[]
    }> = {
      batch: (step) => ({
        latents: hashInput(`train.latents.${step}`, [2, 4, 16, 16]),
        noise: hashInput(`train.noise.${step}`, [2, 4, 16, 16]),
        context: hashInput(`train.context.${step}`, [2, 77, 8]),
        timesteps: [...golden.timesteps[step]!],
      }),
      loss: (named, batch) =>
        denoisingLoss(
          parameterTree<UNetParameters>(named),
          config,
          alphas,
          kind === 'epsilon' ? 'epsilon' : 'v',
          batch,
        ),
    }
    const initial = hashWeights(unetShapes(config))
    const state = await fit(initial, objective, { steps: 10, learningRate: 1e-3, clip: 1, ema: 0, seed: 0 })

    state.curve.forEach(({ loss, norm }, step) => {
      expect(Math.abs(loss - golden.losses[step]!)).toBeLessThan(1e-5)
      expect(Math.abs(norm - golden.gradientNorms[step]!)).toBeLessThan(1e-4)
    })
    for (const [name, { first, sum, norm }] of Object.entries(golden.weights)) {
      const turned = toTorch(name, state.parameters.get(name)!)
      const values = (await turned.data()) as Float32Array
      first.forEach((wanted, i) => expect(Math.abs(values[i]! - wanted), `${name}[${i}]`).toBeLessThan(1e-4))
      expect(Math.abs(values.reduce((a, b) => a + b, 0) - sum), name).toBeLessThan(1e-3)
      expect(Math.abs(Math.hypot(...values) - norm), name).toBeLessThan(1e-4)
      turned.dispose()
    }
    disposeTrainingState(state)
    tf.dispose([...initial.values()])
  },
)
