import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { valueAndGradients } from '../../src/core/index.js'
import { type UNetParameters, unet, unetConfig, unetShapes } from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { hashWeights } from '../support/name-hash.js'

// Software WebGPU takes seconds for what others do in milliseconds.
const steps = process.env.CONTRAFACT_BACKEND === 'webgpu' ? 8 : 50

test(`${steps} steps, every fifth with a backward pass, leave the number of tensors and of bytes as it was`, async () => {
  const config = unetConfig({
    block_out_channels: [4],
    layers_per_block: 1,
    down_block_types: ['CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D'],
    attention_head_dim: 2,
    cross_attention_dim: 4,
    norm_num_groups: 2,
  })
  const weights = hashWeights(unetShapes(config))
  const parameters = parameterTree<UNetParameters>(weights)
  const scheduler = ddim({ steps })
  const context = tf.ones<tf.Rank.R3>([1, 3, 4])
  let x = tf.ones<tf.Rank.R4>([1, 4, 4, 4])
  const counts: string[] = []
  for (const [index, timestep] of scheduler.timesteps.entries()) {
    const distance = (c: tf.Tensor) =>
      unet(parameters, config, x, { timestep, context: c as tf.Tensor3D })
        .square()
        .mean() as tf.Scalar
    if (index % 5 === 0) {
      const { value, gradients } = valueAndGradients(distance, [context])
      await value.data()
      tf.dispose([value, gradients])
    }
    const next = tf.tidy(() => {
      const output = unet(parameters, config, x, { timestep, context })
      return scheduler.step({ x, output, index }).x
    })
    x.dispose()
    x = next
    const { numTensors, numDataBuffers, numBytes } = tf.memory()
    counts.push([numTensors, numDataBuffers, numBytes].join())
  }
  tf.dispose([x, context, ...weights.values()])
  expect(counts).toHaveLength(steps)
  expect(new Set(counts).size).toBe(1)
})
