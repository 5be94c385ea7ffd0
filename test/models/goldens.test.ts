import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import {
  type AutoencoderParameters,
  autoencoderConfig,
  autoencoderShapes,
  decode,
  encode,
  encodeText,
  type TextEncoderParameters,
  textEncoderConfig,
  textEncoderShapes,
  type UNetParameters,
  unet,
  unetConfig,
  unetShapes,
} from '../../src/models/index.js'
import { parameterTree, timestepEmbedding } from '../../src/nn/index.js'
import { digest, hashInput, hashUniform, hashWeight, hashWeights } from '../support/name-hash.js'

const sd1Dummy = unetConfig({
  sample_size: 32,
  block_out_channels: [4, 8],
  layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
  cross_attention_dim: 8,
  norm_num_groups: 2,
})
const sd2Dummy = unetConfig({
  sample_size: 32,
  block_out_channels: [32, 64],
  layers_per_block: 2,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
  cross_attention_dim: 32,
  attention_head_dim: [2, 4],
  use_linear_projection: true,
})
const vaeDummy = autoencoderConfig({
  block_out_channels: [4, 8],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 2,
})

type Golden = { mean: number; std: number; first: number[]; last: number[] }

async function expectGolden(x: tf.Tensor, golden: Golden): Promise<void> {
  const found = await digest(x)
  x.dispose()
  const near = (value: number, wanted: number) => expect(Math.abs(value - wanted)).toBeLessThan(1e-4)
  near(found.mean, golden.mean)
  near(found.std, golden.std)
  golden.first.forEach((wanted, i) => near(found.first[i]!, wanted))
  golden.last.forEach((wanted, i) => near(found.last[i]!, wanted))
}

const count = (shapes: ReadonlyMap<string, readonly number[]>) =>
  [...shapes.values()].reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0)

test('the name hash is the one that the goldens were made with', () => {
  expect([...hashUniform('conv_in.weight', 3)]).toEqual([
    0.96364108286798, -0.5702683092094958, 0.6767978207208216,
  ])
  const weight = hashWeight('conv_in.weight', [4, 4, 3, 3])
  expect(weight[0]).toBeCloseTo(0.27817923, 7)
})

describe('parameter lists', () => {
  const sd1 = { cross_attention_dim: 768 }
  const sd2 = { cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], use_linear_projection: true }
  const vae = {
    block_out_channels: [128, 256, 512, 512],
    layers_per_block: 2,
    down_block_types: Array(4).fill('DownEncoderBlock2D'),
    up_block_types: Array(4).fill('UpDecoderBlock2D'),
  }
  const clip1 = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 }
  const clip2 = { hidden_size: 1024, intermediate_size: 4096, num_attention_heads: 16, num_hidden_layers: 23 }
  test.each([
    ['unet 1.5', unetShapes(unetConfig(sd1)), 686, 859_520_964],
    ['unet 1.5 inpainting', unetShapes(unetConfig({ ...sd1, in_channels: 9 })), 686, 859_535_364],
    ['unet 2.1', unetShapes(unetConfig(sd2)), 686, 865_910_724],
    ['vae', autoencoderShapes(autoencoderConfig(vae)), 248, 83_653_863],
    ['clip 1', textEncoderShapes(textEncoderConfig(clip1)), 196, 123_060_480],
    ['clip 2', textEncoderShapes(textEncoderConfig(clip2)), 372, 340_387_840],
    ['unet dummy 1', unetShapes(sd1Dummy), 208, 16_928],
    ['unet dummy 2', unetShapes(sd2Dummy), 304, 1_427_012],
    ['vae dummy', autoencoderShapes(vaeDummy), 124, 11_827],
  ])('%s has the published tensors', (_, shapes, tensors, parameters) => {
    expect(shapes.size).toBe(tensors)
    expect(count(shapes)).toBe(parameters)
  })
})

describe('unet', () => {
  test('time embedding of the dummies', async () => {
    await expectGolden(timestepEmbedding([981, 981], 4), {
      mean: 0.0276823,
      std: 0.7065647,
      first: [0.679957, -0.926715, 0.733252, -0.375764],
      last: [0.733252, -0.375764],
    })
    await expectGolden(timestepEmbedding([501, 501], 32), {
      mean: 0.1713425,
      std: 0.6860333,
      first: [-0.083929, 0.531575, 0.218536, 0.429188],
      last: [0.157768, 0.088974],
    })
  })

  test('Stable Diffusion 1 dummy', async () => {
    const weights = hashWeights(unetShapes(sd1Dummy))
    const x = hashInput<tf.Rank.R4>('input.sample', [2, 4, 16, 16])
    const context = hashInput<tf.Rank.R3>('input.context', [2, 77, 8])
    const out = unet(parameterTree<UNetParameters>(weights), sd1Dummy, x, { timestep: 981, context })
    await expectGolden(out, {
      mean: 0.0415592,
      std: 0.6512728,
      first: [0.056728, -0.28855, -0.535836, 0.005246],
      last: [0.202608, 0.427824],
    })
    tf.dispose([x, context, ...weights.values()])
  })
})

describe('vae', () => {
  const cases = [
    {
      name: 'mean of [1, 3, 80, 48]',
      run: (p: AutoencoderParameters) =>
        tf.tidy(() => encode(p, vaeDummy, hashInput<tf.Rank.R4>('input.image', [1, 3, 80, 48], 1)).mean),
      golden: {
        mean: -0.0836323,
        std: 0.6626683,
        first: [-0.492095, -0.223157, 0.807686, 0.223218],
        last: [-0.386912, -0.29062],
      },
    },
    {
      name: 'decode [1, 4, 16, 16]',
      run: (p: AutoencoderParameters) =>
        tf.tidy(() => decode(p, vaeDummy, hashInput('input.latent', [1, 4, 16, 16]))),
      golden: {
        mean: -0.0618391,
        std: 0.6541169,
        first: [-0.088854, 0.185155, 0.403358, 0.141101],
        last: [-0.124487, -0.096704],
      },
    },
    {
      name: 'decode [1, 4, 40, 28]',
      run: (p: AutoencoderParameters) =>
        tf.tidy(() => decode(p, vaeDummy, hashInput('input.latent', [1, 4, 40, 28]))),
      golden: {
        mean: -0.0211918,
        std: 0.6360505,
        first: [-0.017222, 0.136328, 0.012162, 0.079631],
        last: [0.212453, 0.232691],
      },
    },
  ]
  test.each(cases)('$name', async ({ run, golden }) => {
    const weights = hashWeights(autoencoderShapes(vaeDummy))
    await expectGolden(run(parameterTree<AutoencoderParameters>(weights)), golden)
    tf.dispose([...weights.values()])
  })
})

describe('clip text', () => {
  test('quick gelu dummy', async () => {
    const config = textEncoderConfig({
      hidden_size: 8,
      intermediate_size: 16,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      vocab_size: 1000,
    })
    const row = (length: number, id: (i: number) => number, pad: number) => [
      998,
      ...Array.from({ length }, (_, i) => id(i)),
      999,
      ...Array<number>(75 - length).fill(pad),
    ]
    const ids = [row(9, (i) => (37 * i + 5) % 990, 999), row(20, (i) => (53 * i + 7) % 990, 0)]
    const weights = hashWeights(textEncoderShapes(config))
    const { text_model } = parameterTree<{ text_model: TextEncoderParameters }>(weights)
    await expectGolden(encodeText(text_model, config, ids), {
      mean: 0.0219641,
      std: 1.0466016,
      first: [-1.065585, 0.27109, 1.574103, 1.265055],
      last: [0.956637, 1.336278],
    })
    tf.dispose([...weights.values()])
  })
})
