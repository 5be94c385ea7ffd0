import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, test } from 'vitest'
import {
  memoryBudget,
  NumericError,
  recomputed,
  setMemoryBudget,
  valueAndGradients,
} from '../../src/core/index.js'
import { type UNetParameters, unet, unetConfig, unetShapes } from '../../src/models/index.js'
import { unetActivations } from '../../src/models/memory/activations.js'
import { frugalDenoiser } from '../../src/models/stable-diffusion/denoise.js'
import { parameterTree } from '../../src/nn/index.js'
import { hashWeights } from '../support/name-hash.js'
import { peakOf } from '../support/peak.js'

const config = unetConfig({
  sample_size: 16,
  block_out_channels: [8, 16],
  layers_per_block: 1,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 2,
  cross_attention_dim: 8,
  norm_num_groups: 4,
})
const weights = () => hashWeights(unetShapes(config))
const noise = <R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number) =>
  tf.randomNormal<R>(shape, 0, 1, 'float32', seed)
let before = Number.POSITIVE_INFINITY
afterEach(() => setMemoryBudget(before))

describe('a denoiser short of memory', () => {
  test('takes a batch row by row, to the same numbers', () => {
    before = memoryBudget()
    const named = weights()
    const denoise = frugalDenoiser(parameterTree<UNetParameters>(named), config)
    const [x, context] = [noise<tf.Rank.R4>([9, 16, 16, 4], 1), noise<tf.Rank.R3>([9, 5, 8], 2)]
    const times = Array.from({ length: 9 }, (_, row) => 100 * row)
    const rich = denoise(x, times, context)
    const peaks = [peakOf('numTensors', () => denoise(x, times, context).dispose())]
    // What one row takes is there, what nine take is not.
    const { forward } = unetActivations(config, { batch: 9, height: 16, width: 16 })
    setMemoryBudget(tf.memory().numBytes + forward - 1)
    const poor = denoise(x, times, context)
    peaks.push(peakOf('numTensors', () => denoise(x, times, context).dispose()))
    const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(rich, poor))).dataSync()[0]!)
    expect(difference).toBeLessThan(1e-5)
    expect(peaks[1]).not.toBe(peaks[0])
    tf.dispose([...named.values(), x, context, rich, poor])
  })

  test('computes its blocks again for the gradient, which keeps less and is the same', () => {
    before = memoryBudget()
    const named = weights()
    const parameters = parameterTree<UNetParameters>(named)
    const [x, context] = [noise<tf.Rank.R4>([1, 16, 16, 4], 3), noise<tf.Rank.R3>([1, 5, 8], 4)]
    const gradients = (recompute: boolean) =>
      valueAndGradients(
        (z, c) =>
          tf.mean(
            tf.square(
              unet(parameters, config, z as tf.Tensor4D, {
                timestep: 5,
                context: c as tf.Tensor3D,
                recompute,
              }),
            ),
          ) as tf.Scalar,
        [x, context],
      )
    const results = [false, true].map((recompute) => {
      let result: ReturnType<typeof gradients> | undefined
      const peak = peakOf('numTensors', () => {
        result = gradients(recompute)
      })
      return { peak, tensors: [result!.value, ...result!.gradients] }
    })
    const [kept, again] = results as [(typeof results)[0], (typeof results)[0]]
    for (const [i, tensor] of kept.tensors.entries()) {
      const [off, size] = tf.tidy(() => [
        tf.max(tf.abs(tf.sub(tensor, again.tensors[i]!))).dataSync()[0]!,
        tf.max(tf.abs(tensor)).dataSync()[0]!,
      ]) as unknown as [number, number]
      expect(off).toBeLessThan(1e-4 * size)
    }
    expect(again.peak - named.size).toBeLessThan(0.6 * (kept.peak - named.size))
    tf.dispose([...named.values(), x, context, ...kept.tensors, ...again.tensors])
  })
})

test('a stretch that fails while it is computed again leaves nothing, and the next gradient works', () => {
  const x = tf.tensor1d([1, 2, 3])
  let calls = 0
  const stretch = (t: tf.Tensor) => {
    if (++calls === 2) throw new NumericError({ rule: 'a', got: 'b', mend: 'c' })
    return tf.square(tf.exp(t))
  }
  const gradient = () => valueAndGradients((t) => tf.sum(recomputed([t!], stretch)) as tf.Scalar, [x])
  const tensors = tf.memory().numTensors
  expect(gradient).toThrow(NumericError)
  expect(tf.memory().numTensors).toBe(tensors)
  const { value, gradients } = gradient()
  expect([...gradients[0]!.dataSync()].map((v, i) => v / (2 * Math.exp(2 * (i + 1))))).toEqual([
    expect.closeTo(1, 5),
    expect.closeTo(1, 5),
    expect.closeTo(1, 5),
  ])
  tf.dispose([x, value, ...gradients])
})
