import { z } from 'zod'
import {
  parseConfig,
  refuseOtherClass,
  refuseUnsupported,
  requireConsistent,
  type SupportedValues,
  size,
  squareSize,
} from './read.js'

/** The config of diffusers' `AutoencoderKL`, under diffusers' own key names, every default filled in. */
export interface AutoencoderConfig {
  /** Channels of the image: 3. */
  readonly in_channels: number
  /** Channels of the decoded image: 3. */
  readonly out_channels: number
  /** Channels of each level, finest first; the image is halved `length - 1` times. */
  readonly block_out_channels: readonly number[]
  /** Residual blocks of each encoder level; the decoder has one more. */
  readonly layers_per_block: number
  /** Channels of the latents: 4. */
  readonly latent_channels: number
  /** Groups of every group normalisation; their epsilon is 1e-6. */
  readonly norm_num_groups: number
  /** Latents are multiplied by it, so that they have about unit deviation: 0.18215. */
  readonly scaling_factor: number
  /** Side of the images it was trained on, in pixels; tiles are as large. */
  readonly sample_size: number
  /** Activation of the residual blocks; both names mean x * sigmoid(x). */
  readonly act_fn: 'silu' | 'swish'
  /** The JSON as it was read, for writing it back. */
  readonly raw: Readonly<Record<string, unknown>>
}

const schema = z.looseObject({
  in_channels: size.default(3),
  out_channels: size.default(3),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(size).min(1).default([64]),
  layers_per_block: size.default(1),
  latent_channels: size.default(4),
  norm_num_groups: size.default(32),
  scaling_factor: z.number().positive().default(0.18215),
  sample_size: squareSize.default(32),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
})

const supported: SupportedValues = {
  shift_factor: [null, 'shifted latents, as Stable Diffusion 3 and Flux have'],
  latents_mean: [null, 'latents normalised per channel, as some Stable Diffusion XL models have'],
  latents_std: [null, 'latents normalised per channel, as some Stable Diffusion XL models have'],
  use_quant_conv: [true, 'no quant_conv, as Stable Diffusion 3 and Flux have'],
  use_post_quant_conv: [true, 'no post_quant_conv, as Stable Diffusion 3 and Flux have'],
  mid_block_add_attention: [true, 'a middle block without attention'],
}

/**
 * Reads the config of a variational autoencoder, with class defaults for missing keys: 1.5 and 2.1 do not write
 * `scaling_factor`.
 *
 * @param raw - the parsed `vae/config.json`, or a literal with the same keys
 * @throws CheckpointError naming the key that is unsupported, malformed or contradictory
 */
export function autoencoderConfig(raw: unknown): AutoencoderConfig {
  const where = 'autoencoderConfig'
  const config = parseConfig(schema, raw, where)
  refuseOtherClass(config, '_class_name', ['AutoencoderKL'], where)
  refuseUnsupported(config, supported, where)

  const { block_out_channels, norm_num_groups } = config
  for (const key of ['down_block_types', 'up_block_types'] as const) {
    const rule = `${key} needs one entry for each of the ${block_out_channels.length} block_out_channels`
    requireConsistent(
      config[key].length === block_out_channels.length,
      where,
      rule,
      `${config[key].length} entries`,
    )
  }
  for (const channels of block_out_channels) {
    const rule = `channels must divide into ${norm_num_groups} norm groups`
    requireConsistent(channels % norm_num_groups === 0, where, rule, `${channels} channels`)
  }

  return {
    in_channels: config.in_channels,
    out_channels: config.out_channels,
    block_out_channels,
    layers_per_block: config.layers_per_block,
    latent_channels: config.latent_channels,
    norm_num_groups,
    scaling_factor: config.scaling_factor,
    sample_size: config.sample_size,
    act_fn: config.act_fn,
    raw: raw as Readonly<Record<string, unknown>>,
  }
}
