import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import {
  type AutoencoderParameters,
  autoencoderConfig,
  autoencoderShapes,
  decodeLarge,
  encodeMean,
  encodeText,
  type TextEncoderParameters,
  textEncoderConfig,
  textEncoderShapes,
  type UNetParameters,
  unet,
  unetConfig,
  unetShapes,
} from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { hashInput, hashWeights, torchValues } from '../support/name-hash.js'

interface Golden {
  readonly mean: number
  readonly every: readonly number[]
}
interface UNetGolden extends Golden {
  readonly config: unknown
  readonly size: readonly [number, number]
  readonly timestep: number
  readonly channels: number
}
const goldens: {
  readonly unet: Readonly<Record<string, UNetGolden>>
  readonly vae: Readonly<Record<string, Golden>>
  readonly clip: Readonly<Record<string, Golden>>
} = JSON.parse(readFileSync(new URL('../fixtures/models.json', import.meta.url), 'utf8'))

async function expectGolden(x: tf.Tensor, { mean, every }: Golden): Promise<void> {
  const values = await torchValues(x)
  x.dispose()
  const stride = Math.max(1, Math.floor(values.length / 50))
  every.forEach((wanted, i) => expect(Math.abs(values[i * stride]! - wanted)).toBeLessThan(1e-4))
  expect(values.reduce((a, b) => a + b, 0) / values.length).toBeCloseTo(mean, 4)
}

const inputs: Record<string, string> = {
  sd2: 'sample',
  'four levels, odd size': 'odd',
  inpainting: 'inpaint',
}

test.each(Object.entries(goldens.unet))('unet: %s', async (name, golden) => {
  const config = unetConfig(golden.config)
  const weights = hashWeights(unetShapes(config))
  const x = hashInput<tf.Rank.R4>(`input.${inputs[name]}`, [2, golden.channels, ...golden.size])
  const context = hashInput<tf.Rank.R3>('input.context', [2, 77, config.cross_attention_dim])
  await expectGolden(
    unet(parameterTree<UNetParameters>(weights), config, x, { timestep: golden.timestep, context }),
    golden,
  )
  tf.dispose([x, context, ...weights.values()])
})

const vae = autoencoderConfig({
  block_out_channels: [4, 8],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 2,
})

test.each(Object.entries(goldens.vae))('vae: %s', async (name, golden) => {
  const weights = hashWeights(autoencoderShapes(vae))
  const parameters = parameterTree<AutoencoderParameters>(weights)
  const options = { tiling: name.endsWith('tiled') }
  const x = name.startsWith('encode')
    ? hashInput<tf.Rank.R4>('input.image', [1, 3, 80, 48], 1)
    : hashInput<tf.Rank.R4>('input.latent', [1, 4, 40, 28])
  const run = name.startsWith('encode') ? encodeMean : decodeLarge
  await expectGolden(run(parameters, vae, x, options), golden)
  tf.dispose([x, ...weights.values()])
})

test('vae: slicing changes nothing', async () => {
  const weights = hashWeights(autoencoderShapes(vae))
  const parameters = parameterTree<AutoencoderParameters>(weights)
  const x = hashInput<tf.Rank.R4>('batch', [3, 4, 8, 8])
  const [whole, sliced] = [
    decodeLarge(parameters, vae, x),
    decodeLarge(parameters, vae, x, { slicing: true }),
  ]
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(whole, sliced))))
  expect((await difference.data())[0]).toBeLessThan(1e-5)
  tf.dispose([x, whole, sliced, difference, ...weights.values()])
})

test('clip: exact gelu, five layers', async () => {
  const config = textEncoderConfig({
    hidden_size: 32,
    intermediate_size: 37,
    num_hidden_layers: 5,
    num_attention_heads: 4,
    vocab_size: 1000,
    hidden_act: 'gelu',
  })
  const weights = hashWeights(textEncoderShapes(config))
  const { text_model } = parameterTree<{ text_model: TextEncoderParameters }>(weights)
  const ids = [
    998,
    ...Array.from({ length: 9 }, (_, i) => (37 * i + 5) % 990),
    ...Array<number>(67).fill(999),
  ]
  await expectGolden(encodeText(text_model, config, [ids]), goldens.clip.gelu!)
  tf.dispose([...weights.values()])
})
