import * as tf from '@tensorflow/tfjs'
import { blockwiseAttention } from './attention-blocks.js'
import { mergeHeads, splitHeads } from './heads.js'

/** What may be done to attention on its way. */
export interface AttentionOptions {
  /** Added to the scores, broadcast to `[batch, heads, queries, keys]`: a causal mask. */
  readonly mask?: tf.Tensor
  /** Sees the probabilities `[batch, heads, queries, keys]` (borrowed) and returns them or a replacement. */
  readonly control?: ((probabilities: tf.Tensor4D) => tf.Tensor4D) | undefined
}

/**
 * Multi-head scaled dot-product attention: `softmax(Q Kᵀ / √d) V`, heads being contiguous groups of channels
 * (Vaswani et al. 2017, eq. 1).
 *
 * Without a mask and a control the scores are never there as a whole: they are made, used and freed in blocks, see
 * `attention-blocks.ts`.
 *
 * @param q - queries `[batch, queries, channels]`, borrowed
 * @param k - keys `[batch, keys, channels]`, borrowed
 * @param v - values `[batch, keys, channels]`, borrowed
 * @param heads - divides the channels
 * @returns `[batch, queries, channels]`, owned by the caller
 */
export function attention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  heads: number,
  { mask, control }: AttentionOptions = {},
): tf.Tensor3D {
  const scale = (q.shape[2] / heads) ** -0.5
  if (!mask && !control) return blockwiseAttention(q, k, v, heads, scale)
  return tf.tidy(() => {
    const scores = tf.matMul(splitHeads(tf.mul(q, scale), heads), splitHeads(k, heads), false, true)
    const probabilities = tf.softmax(mask ? tf.add(scores, mask) : scores) as tf.Tensor4D
    const used = control ? control(probabilities) : probabilities
    return mergeHeads(tf.matMul(used, splitHeads(v, heads)) as tf.Tensor4D)
  })
}
