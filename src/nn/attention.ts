import * as tf from '@tensorflow/tfjs'
import { hasOwnKernel, runOwnKernel, withGradient } from '../core/index.js'
import { blockwiseAttention } from './attention-blocks.js'
import { mergeHeads, splitHeads } from './heads.js'

/** What may be done to attention on its way. */
export interface AttentionOptions {
  /** Whether a query sees the keys up to its own place only, as in a text encoder; not by default. */
  readonly causal?: boolean
  /** Sees the probabilities `[batch, heads, queries, keys]` (borrowed) and returns them or a replacement. */
  readonly control?: ((probabilities: tf.Tensor4D) => tf.Tensor4D) | undefined
}

/**
 * Multi-head scaled dot-product attention: `softmax(Q Kᵀ / √d) V`, heads being contiguous groups of channels
 * (Vaswani et al. 2017, eq. 1).
 *
 * Without a control the scores are never there as a whole: they are made, used and freed in blocks, by the backend's own
 * kernel where it has one, and by operations elsewhere, see `attention-blocks.ts`.
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
  { causal = false, control }: AttentionOptions = {},
): tf.Tensor3D {
  const scale = (q.shape[2] / heads) ** -0.5
  if (!control && hasOwnKernel('Attention')) return attentionAtOnce(q, k, v, { heads, scale, causal })
  if (!control && !causal) return blockwiseAttention(q, k, v, heads, scale)
  return tf.tidy(() => {
    const scores = tf.matMul(splitHeads(tf.mul(q, scale), heads), splitHeads(k, heads), false, true)
    const seen = causal ? tf.add(scores, causalMask(q.shape[1], k.shape[1])) : scores
    const probabilities = tf.softmax(seen) as tf.Tensor4D
    const used = control ? control(probabilities) : probabilities
    return mergeHeads(tf.matMul(used, splitHeads(v, heads)) as tf.Tensor4D)
  })
}

// The gradient needs the inputs, the result and the logarithms of the softmax's sums, not the probabilities.
function attentionAtOnce(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  options: Readonly<{ heads: number; scale: number; causal: boolean }>,
): tf.Tensor3D {
  return withGradient<tf.Tensor3D>([q, k, v], {
    forward: (save) => {
      const [out, logSums] = runOwnKernel('Attention', { q, k, v }, options)!
      save([q, k, v, out!, logSums!])
      return out as tf.Tensor3D
    },
    backward: (dOut, [query, key, value, out, logSums]) => {
      const inputs = { dOut, q: query!, k: key!, v: value!, out: out!, logSums: logSums! }
      const gradients = runOwnKernel('AttentionGrad', inputs, options)!
      return gradients.map((gradient) => () => gradient)
    },
  })
}

// Adding the lowest float to the scores of later tokens leaves exactly nothing of them after the softmax.
const lowest = -3.4028234663852886e38

const causalMask = (queries: number, keys: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: queries * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? lowest : 0)),
    [queries, keys],
  )
