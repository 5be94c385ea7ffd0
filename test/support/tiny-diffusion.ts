import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import type { LatentDiffusion, Tokenizer } from '../../src/core/index.js'
import { type UNetParameters, unet, unetConfig, unetShapes } from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { hashInput, hashWeights } from './name-hash.js'

/** A fixture of test/fixtures, by name. */
export const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'))

const config = unetConfig({
  block_out_channels: [4, 8],
  layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
  cross_attention_dim: 8,
  norm_num_groups: 2,
})
const [bos, eos] = [49406, 49407]

// Prompts are written as their token ids: "t11 t12t13" is three tokens in two words.
const tokenizer: Tokenizer = {
  maxLength: 77,
  encode: (prompt) => {
    const tokens = [...prompt.matchAll(/t(\d+)/g)].map(([, id]) => Number(id))
    const ids = [bos, ...tokens, ...Array<number>(76 - tokens.length).fill(eos)]
    return { prompt, ids, length: tokens.length + 2, truncated: '' }
  },
  decodeToken: (id) => (id === bos ? '<|startoftext|>' : id === eos ? '<|endoftext|>' : `t${id}`),
}

/** How test/fixtures/sd_tiny.py scales its network and inputs. */
export interface TinySettings {
  readonly networkScale: number
  readonly cleanScale: number
  readonly contextShare: number
  readonly uncondShare: number
  /** The prompt that is embedded as `input.context`; the empty one is a mixture, any other `input.target`. */
  readonly source: string
}

/** diffusers' dummy UNet with name-hash weights as a latent diffusion model; call `dispose` after use. */
export function tinyDiffusion(settings: TinySettings): LatentDiffusion & { dispose(): void } {
  const { networkScale, cleanScale, contextShare, uncondShare, source } = settings
  const weights = hashWeights(unetShapes(config))
  const parameters = parameterTree<UNetParameters>(weights)
  const embedding = (name: string, share = 1) => hashInput<tf.Rank.R3>(name, [1, 77, 8], Math.sqrt(3) * share)
  const embed = (prompt: string) =>
    prompt === ''
      ? tf.add<tf.Tensor3D>(embedding('input.context', contextShare), embedding('input.uncond', uncondShare))
      : embedding(prompt === source ? 'input.context' : 'input.target')
  return {
    tokenizer,
    denoise: (x, timestep, context, attention) =>
      tf.tidy(() => tf.mul(unet(parameters, config, x, { timestep, context, attention }), networkScale)),
    encodePrompts: (prompts) => tf.tidy(() => tf.concat(prompts.map(embed))),
    encodeImage: () => hashInput('input.clean', [1, 4, 16, 16], Math.sqrt(3) * cleanScale),
    decodeLatents: () => tf.zeros([1, 128, 128, 3]),
    dispose: () => tf.dispose([...weights.values()]),
  }
}

/** Flat channels-first values as channels-last latents. */
export const fromTorchLatents = (values: readonly number[]): tf.Tensor4D =>
  tf.tidy(() => tf.transpose(tf.tensor4d([...values], [1, 4, 16, 16]), [0, 2, 3, 1]))
