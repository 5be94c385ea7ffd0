import { z } from 'zod'
import { parseConfig, refuseOtherClass, requireConsistent, size } from './read.js'

/** The config of transformers' `CLIPTextModel`, under its own key names, every default filled in. */
export interface TextEncoderConfig {
  /** Width of the embeddings: 768 (1.x) or 1024 (2.x). */
  readonly hidden_size: number
  /** Width inside the feed-forward layers. */
  readonly intermediate_size: number
  /** Transformer layers that the file holds; 2.x holds 23, so that its last is CLIP's last but one. */
  readonly num_hidden_layers: number
  /** Attention heads of each layer. */
  readonly num_attention_heads: number
  /** `quick_gelu`: x * sigmoid(1.702 x) (1.x); `gelu`: exact, by the error function (2.x). */
  readonly hidden_act: 'quick_gelu' | 'gelu'
  /** Epsilon of every layer normalisation. */
  readonly layer_norm_eps: number
  /** Tokens of a prompt, padding included: 77. */
  readonly max_position_embeddings: number
  /** Rows of the token table: 49408. */
  readonly vocab_size: number
  /** Id of the token that starts a prompt; published configs are often wrong here, the tokenizer is right. */
  readonly bos_token_id: number
  /** Id of the token that ends a prompt; 2 in old configs means "the highest id of the prompt". */
  readonly eos_token_id: number
  /** Id of the padding token; published configs are often wrong here, the tokenizer is right. */
  readonly pad_token_id: number
  /** Width of the projected pooled embedding, where the model has a projection. */
  readonly projection_dim: number
  /** The JSON as it was read, for writing it back. */
  readonly raw: Readonly<Record<string, unknown>>
}

// transformers 5 also writes lists of one id, and null for "not set".
const tokenId = (missing: number) =>
  z
    .union([z.int(), z.array(z.int()).length(1)])
    .nullish()
    .transform((id) => (Array.isArray(id) ? id[0]! : (id ?? missing)))

const schema = z.looseObject({
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(8),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  max_position_embeddings: size.default(77),
  vocab_size: size.default(49408),
  bos_token_id: tokenId(49406),
  eos_token_id: tokenId(49407),
  pad_token_id: tokenId(1),
  projection_dim: size.nullable().default(512),
})

/**
 * Reads the config of a CLIP text encoder, with class defaults for missing keys.
 *
 * @param raw - the parsed `text_encoder/config.json`, or a literal with the same keys
 * @throws CheckpointError naming the key that is unsupported, malformed or contradictory
 */
export function textEncoderConfig(raw: unknown): TextEncoderConfig {
  const where = 'textEncoderConfig'
  const config = parseConfig(schema, raw, where)
  refuseOtherClass(config, 'model_type', ['clip_text_model'], where)
  requireConsistent(
    config.hidden_size % config.num_attention_heads === 0,
    where,
    `hidden_size must divide into ${config.num_attention_heads} attention heads`,
    `hidden_size ${config.hidden_size}`,
  )

  return {
    hidden_size: config.hidden_size,
    intermediate_size: config.intermediate_size,
    num_hidden_layers: config.num_hidden_layers,
    num_attention_heads: config.num_attention_heads,
    hidden_act: config.hidden_act,
    layer_norm_eps: config.layer_norm_eps,
    max_position_embeddings: config.max_position_embeddings,
    vocab_size: config.vocab_size,
    bos_token_id: config.bos_token_id,
    eos_token_id: config.eos_token_id,
    pad_token_id: config.pad_token_id,
    projection_dim: config.projection_dim ?? 512,
    raw: raw as Readonly<Record<string, unknown>>,
  }
}
