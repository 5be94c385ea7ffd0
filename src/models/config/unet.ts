import { z } from 'zod'
import {
  broadcastToLevels,
  parseConfig,
  perLevel,
  refuseOtherClass,
  refuseUnsupported,
  requireConsistent,
  type SupportedValues,
  size,
  squareSize,
} from './read.js'

/** A level of the contracting arm: with or without attention to the prompt. */
export type DownBlockType = 'CrossAttnDownBlock2D' | 'DownBlock2D'

/** A level of the expanding arm: with or without attention to the prompt. */
export type UpBlockType = 'CrossAttnUpBlock2D' | 'UpBlock2D'

/** The config of diffusers' `UNet2DConditionModel`, under diffusers' own key names, every default filled in. */
export interface UNetConfig {
  /** Channels of the input: 4 latents, or 9 for inpainting (4 latents, 1 mask, 4 masked latents). */
  readonly in_channels: number
  /** Channels of the prediction: 4. */
  readonly out_channels: number
  /** Side of the latents it was trained on, in latent pixels; `null` where the file does not say. */
  readonly sample_size: number | null
  /** Channels of each level, finest first; its length is the number of levels. */
  readonly block_out_channels: readonly number[]
  /** Residual blocks of each level on the way down, finest first; the way up has one more. */
  readonly layers_per_block: readonly number[]
  /** Kind of each level on the way down, finest first. */
  readonly down_block_types: readonly DownBlockType[]
  /** Kind of each level on the way up, coarsest first. */
  readonly up_block_types: readonly UpBlockType[]
  /** The block at the bottom: resnet, attention, resnet. */
  readonly mid_block_type: 'UNetMidBlock2DCrossAttn'
  /** Width of the prompt embeddings: 768 (1.x) or 1024 (2.x). */
  readonly cross_attention_dim: number
  /**
   * Number of attention HEADS of each level, finest first. The key's name is a mistake that 40,000 published
   * configs share: the width of a head is `block_out_channels[level] / attention_head_dim[level]`.
   */
  readonly attention_head_dim: readonly number[]
  /** Groups of every group normalisation. */
  readonly norm_num_groups: number
  /** Epsilon of the residual blocks' and the last normalisation (the attention's is always 1e-6). */
  readonly norm_eps: number
  /** `true`: the transformer's `proj_in` and `proj_out` are linear (2.x); `false`: 1x1 convolutions (1.x). */
  readonly use_linear_projection: boolean
  /** Cosines before sines in the time embedding. */
  readonly flip_sin_to_cos: boolean
  /** Subtracted from the number of frequencies in the time embedding's exponent. */
  readonly freq_shift: number
  /** Activation of the residual blocks; both names mean x * sigmoid(x). */
  readonly act_fn: 'silu' | 'swish'
  /** Attention in float32 where the weights are half; the identity here, since all arithmetic is float32. */
  readonly upcast_attention: boolean
  /** The JSON as it was read, for writing it back. */
  readonly raw: Readonly<Record<string, unknown>>
}

const schema = z.looseObject({
  in_channels: size.default(4),
  out_channels: size.default(4),
  sample_size: squareSize.nullable().default(null),
  block_out_channels: z.array(size).min(1).default([320, 640, 1280, 1280]),
  layers_per_block: perLevel.default(2),
  down_block_types: z
    .array(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D']))
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  up_block_types: z
    .array(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D']))
    .default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  mid_block_type: z.literal('UNetMidBlock2DCrossAttn').default('UNetMidBlock2DCrossAttn'),
  cross_attention_dim: perLevel.default(1280),
  attention_head_dim: perLevel.default(8),
  norm_num_groups: size.default(32),
  norm_eps: z.number().positive().default(1e-5),
  use_linear_projection: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  upcast_attention: z.boolean().nullable().default(false),
})

const supported: SupportedValues = {
  addition_embed_type: [null, 'Stable Diffusion XL'],
  class_embed_type: [null, 'class embeddings, as the upscalers have'],
  num_class_embeds: [null, 'class embeddings, as the upscalers have'],
  encoder_hid_dim: [null, 'projected prompts, as Kandinsky and DeepFloyd have'],
  encoder_hid_dim_type: [null, 'projected prompts, as Kandinsky and DeepFloyd have'],
  num_attention_heads: [null, 'diffusers refuses it too; the number of heads goes under attention_head_dim'],
  dual_cross_attention: [false, 'Versatile Diffusion'],
  only_cross_attention: [false, 'the latent upscaler'],
  mid_block_only_cross_attention: [false, 'the latent upscaler'],
  resnet_time_scale_shift: ['default', 'scale and shift from the time embedding, as DeepFloyd has'],
  resnet_skip_time_act: [false, 'the latent upscaler'],
  resnet_out_scale_factor: [1, 'the latent upscaler'],
  time_embedding_type: ['positional', 'Fourier time embedding, as the latent upscaler has'],
  time_embedding_dim: [null, 'the latent upscaler'],
  time_embedding_act_fn: [null, 'the latent upscaler'],
  timestep_post_act: [null, 'the latent upscaler'],
  time_cond_proj_dim: [null, 'guidance embedded with the time, as distilled consistency models have'],
  transformer_layers_per_block: [1, 'deeper transformers, as Stable Diffusion XL has'],
  reverse_transformer_layers_per_block: [null, 'deeper transformers, as Stable Diffusion XL has'],
  cross_attention_norm: [null, 'normalised prompts, as DeepFloyd has'],
  attention_type: ['default', 'gated attention, as GLIGEN has'],
  class_embeddings_concat: [false, 'class embeddings'],
  center_input_sample: [false, 'inputs centred by the network'],
  conv_in_kernel: [3, 'the latent upscaler'],
  conv_out_kernel: [3, 'the latent upscaler'],
  downsample_padding: [1, 'another padding of the strided convolutions'],
  mid_block_scale_factor: [1, 'a scaled middle block'],
}

/**
 * Reads the config of a UNet: class defaults for missing keys, values per level, and a refusal of every part that
 * this library does not have.
 *
 * Published configs are sparse (1.5's lacks most keys), so the defaults are those of diffusers' class, among them
 * `cross_attention_dim` 1280.
 *
 * @param raw - the parsed `unet/config.json`, or a literal with the same keys
 * @throws CheckpointError naming the key that is unsupported, malformed or contradictory
 */
export function unetConfig(raw: unknown): UNetConfig {
  const where = 'unetConfig'
  const config = parseConfig(schema, raw, where)
  refuseOtherClass(config, '_class_name', ['UNet2DConditionModel'], where)
  refuseUnsupported(config, supported, where)

  const { block_out_channels, norm_num_groups } = config
  const levels = block_out_channels.length
  const layers_per_block = broadcastToLevels(config.layers_per_block, levels)
  const attention_head_dim = broadcastToLevels(config.attention_head_dim, levels)
  const [cross_attention_dim, ...otherWidths] = broadcastToLevels(config.cross_attention_dim, levels)

  const lists = {
    layers_per_block,
    attention_head_dim,
    down_block_types: config.down_block_types,
    up_block_types: config.up_block_types,
  }
  for (const [key, list] of Object.entries(lists)) {
    const rule = `${key} needs one entry for each of the ${levels} block_out_channels`
    requireConsistent(list.length === levels, where, rule, `${list.length} entries`)
  }
  requireConsistent(
    cross_attention_dim !== undefined && otherWidths.every((width) => width === cross_attention_dim),
    where,
    'cross_attention_dim must be the same at every level',
    JSON.stringify(config.cross_attention_dim),
  )
  block_out_channels.forEach((channels, level) => {
    const heads = attention_head_dim[level]!
    const got = `${channels} channels at level ${level}`
    requireConsistent(
      channels % norm_num_groups === 0,
      where,
      `channels must divide into ${norm_num_groups} norm groups`,
      got,
    )
    const attends = [config.down_block_types[level], config.up_block_types.at(-1 - level)].some((type) =>
      type?.startsWith('CrossAttn'),
    )
    requireConsistent(
      !attends || channels % heads === 0,
      where,
      `channels must divide into ${heads} attention heads`,
      got,
    )
  })

  return {
    in_channels: config.in_channels,
    out_channels: config.out_channels,
    sample_size: config.sample_size,
    block_out_channels,
    layers_per_block,
    down_block_types: config.down_block_types,
    up_block_types: config.up_block_types,
    mid_block_type: config.mid_block_type,
    cross_attention_dim: cross_attention_dim!,
    attention_head_dim,
    norm_num_groups,
    norm_eps: config.norm_eps,
    use_linear_projection: config.use_linear_projection,
    flip_sin_to_cos: config.flip_sin_to_cos,
    freq_shift: config.freq_shift,
    act_fn: config.act_fn,
    upcast_attention: config.upcast_attention ?? false,
    raw: raw as Readonly<Record<string, unknown>>,
  }
}
