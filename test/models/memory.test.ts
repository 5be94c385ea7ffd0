import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArgumentError, hasOwnKernel } from '../../src/core/index.js'
import {
  type AutoencoderParameters,
  autoencoderConfig,
  autoencoderShapes,
  decode,
  encode,
  estimateMemory,
  publishedModels,
  textEncoderConfig,
  type UNetParameters,
  unet,
  unetConfig,
  unetShapes,
} from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { hashWeights } from '../support/name-hash.js'
import { peakOf } from '../support/peak.js'
import { withoutKernels } from '../support/without-kernels.js'

const configs = {
  unet: unetConfig({
    sample_size: 16,
    block_out_channels: [32, 64],
    layers_per_block: 2,
    down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
    attention_head_dim: 4,
    cross_attention_dim: 16,
    norm_num_groups: 8,
  }),
  vae: autoencoderConfig({
    block_out_channels: [16, 32],
    down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
    norm_num_groups: 8,
    sample_size: 64,
  }),
  text: textEncoderConfig({}),
}
// An upper estimate, and not an idle one: it counts attention's scores, which a kernel of the library's own never writes out.
const most = () => (hasOwnKernel('Attention') ? 8 : 4)
const stage = (task: Parameters<typeof estimateMemory>[1], name: string) =>
  estimateMemory(configs, task).stages.find((one) => one.name === name)!.bytes

// Bytes that a piece of work has alive at its peak, on top of what was there. Layer by layer: a block that is one kernel makes less,
// and no tensors of it.
function measured(work: () => tf.TensorContainer): number {
  const before = tf.memory().numBytes
  const run = () => tf.tidy(() => void work())
  return peakOf('numBytes', () => withoutKernels(['ResnetBlock', 'Transformer'], run)) - before
}

describe('an estimate, against what a run takes', () => {
  test('of the UNet, forwards and backwards', () => {
    const weights = hashWeights(unetShapes(configs.unet))
    const parameters = parameterTree<UNetParameters>(weights)
    const [x, context] = [tf.ones<tf.Rank.R4>([2, 16, 16, 4]), tf.ones<tf.Rank.R3>([2, 77, 16])]
    const run = (c: tf.Tensor3D) => unet(parameters, configs.unet, x, { timestep: 5, context: c })
    const forward = measured(() => run(context))
    const estimate = stage({ kind: 'generate' }, 'denoise')
    const single = tf.slice(context, 0, 1)
    const one = tf.slice(x, 0, 1)
    const backward = measured(() =>
      tf.grad((c) => unet(parameters, configs.unet, one, { timestep: 5, context: c as tf.Tensor3D }).mean())(
        single,
      ),
    )
    const fitted = stage({ kind: 'null-text' }, 'fit embeddings')
    tf.dispose([...weights.values(), x, context, single, one])
    expect(estimate / forward).toBeGreaterThan(1)
    expect(estimate / forward).toBeLessThan(most())
    expect(fitted / backward).toBeGreaterThan(1)
    expect(fitted / backward).toBeLessThan(most())
  })

  test('of the VAE, in and out', () => {
    const weights = hashWeights(autoencoderShapes(configs.vae))
    const parameters = parameterTree<AutoencoderParameters>(weights)
    const [image, latents] = [tf.ones<tf.Rank.R4>([1, 64, 64, 3]), tf.ones<tf.Rank.R4>([1, 32, 32, 4])]
    const into = measured(() => encode(parameters, configs.vae, image).mean)
    const out = measured(() => decode(parameters, configs.vae, latents))
    tf.dispose([...weights.values(), image, latents])
    const [encoding, decoding] = [
      stage({ kind: 'edit', size: [64, 64] }, 'encode image'),
      stage({ kind: 'edit', size: [64, 64] }, 'decode'),
    ]
    expect(encoding / into).toBeGreaterThan(1)
    expect(encoding / into).toBeLessThan(most())
    expect(decoding / out).toBeGreaterThan(1)
    expect(decoding / out).toBeLessThan(most())
  })
})

describe('an estimate', () => {
  const model = publishedModels['Stable Diffusion 1.5']

  test('counts the weights of Stable Diffusion exactly, and their packed copies on wasm', () => {
    const { weights } = estimateMemory(model, { kind: 'generate' })
    expect(weights.unet).toBe(4 * 859_520_964)
    expect(weights.vae).toBe(4 * 83_653_863)
    const wasm = estimateMemory(model, { kind: 'generate', backend: 'wasm' })
    expect(wasm.weights.unet).toBeCloseTo(2.1 * weights.unet, 0)
    expect(wasm.peak).toBeGreaterThan(2 ** 32)
  })

  test('grows with the size and the batch, and is the weights and the largest stage', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 512 }), fc.integer({ min: 1, max: 4 }), (side, batch) => {
        const of = (n: number, b: number) =>
          estimateMemory(model, { kind: 'null-text', size: [n, n], batch: b })
        const { weights, stages, peak } = of(side, batch)
        expect(of(side + 8, batch).peak).toBeGreaterThanOrEqual(peak)
        expect(of(side, batch + 1).peak).toBeGreaterThan(peak)
        const sum = Object.values(weights).reduce((a, b) => a + b)
        expect(peak).toBe(sum + Math.max(...stages.map(({ bytes }) => bytes)))
      }),
      { numRuns: 30 },
    )
  })

  test('refuses sizes and batches that are none', () => {
    for (const task of [{ batch: 0 }, { batch: 1.5 }, { size: [0, 8] }, { size: [8, Number.NaN] }] as const) {
      expect(() => estimateMemory(model, { kind: 'edit', ...task })).toThrow(ArgumentError)
    }
  })
})
