import { z } from 'zod'
import { parseConfig, requireConsistent, size } from './read.js'
import { type TextEncoderConfig, textEncoderConfig } from './text-encoder.js'

/** The `vision_config` of transformers' `CLIPModel`, under its own key names. */
export interface VisionEncoderConfig {
  /** Width of the tokens. */
  readonly hidden_size: number
  /** Width inside the feed-forward layers. */
  readonly intermediate_size: number
  /** Transformer layers. */
  readonly num_hidden_layers: number
  /** Attention heads of each layer. */
  readonly num_attention_heads: number
  /** `quick_gelu` (OpenAI's) or `gelu` (OpenCLIP's). */
  readonly hidden_act: 'quick_gelu' | 'gelu'
  /** Epsilon of every layer normalisation. */
  readonly layer_norm_eps: number
  /** Side of the picture: 224. */
  readonly image_size: number
  /** Side of a patch: 14 or 32. */
  readonly patch_size: number
}

/** The config of a whole CLIP. */
export interface ClipConfig {
  /** The text tower. */
  readonly text: TextEncoderConfig
  /** The vision tower. */
  readonly vision: VisionEncoderConfig
  /** Width of the space that both are projected to. */
  readonly projection_dim: number
}

const vision = z.looseObject({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  image_size: size.default(224),
  patch_size: size.default(32),
})
const whole = z.looseObject({
  text_config: z.looseObject({}).default({}),
  vision_config: vision.prefault({}),
  projection_dim: size.default(512),
})

/**
 * Reads the `config.json` of a CLIPModel, with class defaults for missing keys.
 *
 * @param raw - the parsed file, or a literal with the same keys
 * @throws CheckpointError naming the key that is malformed or contradictory
 */
export function clipConfig(raw: unknown): ClipConfig {
  const config = parseConfig(whole, raw, 'clipConfig')
  const v = config.vision_config
  requireConsistent(
    v.hidden_size % v.num_attention_heads === 0,
    'clipConfig',
    `vision_config.hidden_size must divide into ${v.num_attention_heads} attention heads`,
    `hidden_size ${v.hidden_size}`,
  )
  return { text: textEncoderConfig(config.text_config), vision: v, projection_dim: config.projection_dim }
}
