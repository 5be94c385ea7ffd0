import * as tf from '@tensorflow/tfjs'
import { geglu } from './activations.js'
import { attention } from './attention.js'
import { layerNorm } from './layer-norm.js'
import { linear, linearPlus } from './linear.js'
import type { LinearParameters, NormParameters } from './parameters.js'

/** Projections of one attention layer. */
export interface AttentionParameters {
  /** Queries, no bias. */
  readonly to_q: LinearParameters
  /** Keys, no bias. */
  readonly to_k: LinearParameters
  /** Values, no bias. */
  readonly to_v: LinearParameters
  /** Output, with bias; a one-entry list, as in the checkpoint. */
  readonly to_out: readonly [LinearParameters]
}

/** Self-attention, cross-attention and feed-forward, each behind its layer norm. */
export interface TransformerBlockParameters {
  /** Before self-attention. */
  readonly norm1: NormParameters
  /** Self-attention. */
  readonly attn1: AttentionParameters
  /** Before cross-attention. */
  readonly norm2: NormParameters
  /** Cross-attention. */
  readonly attn2: AttentionParameters
  /** Before the feed-forward. */
  readonly norm3: NormParameters
  /** `net[0].proj` doubles for GEGLU, `net[2]` projects back; `net.1` is dropout and has no parameters. */
  readonly ff: {
    /** Entries 0 and 2 of the checkpoint's list. */
    readonly net: {
      /** GEGLU. */
      readonly 0: {
        /** To value and gate. */
        readonly proj: LinearParameters
      }
      /** Back to the channels. */
      readonly 2: LinearParameters
    }
  }
}

/** Sees and may replace the block's two attention maps. */
export interface BlockControl {
  /** Self-attention's probabilities. */
  readonly self?: ((probabilities: tf.Tensor4D) => tf.Tensor4D) | undefined
  /** Cross-attention's probabilities. */
  readonly cross?: ((probabilities: tf.Tensor4D) => tf.Tensor4D) | undefined
}

/**
 * `x += self(norm x); x += cross(norm x, context); x += ff(norm x)`.
 *
 * @param x - `[batch, pixels, channels]`, borrowed
 * @param context - `[batch, tokens, width]`, or its {@link keysAndValues}; borrowed
 * @param heads - divides the channels
 * @returns same shape as `x`, owned by the caller
 */
export function transformerBlock(
  parameters: TransformerBlockParameters,
  x: tf.Tensor3D,
  context: tf.Tensor3D | KeysAndValues,
  heads: number,
  { self, cross }: BlockControl = {},
): tf.Tensor3D {
  const { norm1, attn1, norm2, attn2, norm3, ff } = parameters
  return tf.tidy(() => {
    const normed = layerNorm(norm1, x)
    let h = linearPlus(attn1.to_out[0], attend(attn1, normed, normed, heads, self), x)
    h = linearPlus(attn2.to_out[0], attend(attn2, layerNorm(norm2, h), context, heads, cross), h)
    return linearPlus(ff.net[2], geglu(linear(ff.net[0].proj, layerNorm(norm3, h))), h)
  })
}

/** What a layer's queries meet. */
export interface KeysAndValues {
  /** `[batch, tokens, channels]` */
  readonly keys: tf.Tensor3D
  /** `[batch, tokens, channels]` */
  readonly values: tf.Tensor3D
}

/** Keys and values of a layer from `[batch, tokens, width]` (borrowed), owned by the caller. */
export const keysAndValues = ({ to_k, to_v }: AttentionParameters, source: tf.Tensor3D): KeysAndValues => ({
  keys: linear(to_k, source),
  values: linear(to_v, source),
})

// Before the projection of the output.
function attend(
  parameters: AttentionParameters,
  x: tf.Tensor3D,
  source: tf.Tensor3D | KeysAndValues,
  heads: number,
  control: BlockControl['self'],
): tf.Tensor3D {
  const { keys, values } = 'keys' in source ? source : keysAndValues(parameters, source)
  return attention(linear(parameters.to_q, x), keys, values, heads, { control })
}
