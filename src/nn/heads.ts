import * as tf from '@tensorflow/tfjs'

/**
 * `[batch, tokens, channels]` to `[batch, heads, tokens, channels / heads]`, or turned, to
 * `[batch, heads, channels / heads, tokens]`.
 */
export function splitHeads(x: tf.Tensor3D, heads: number, form?: 'turned'): tf.Tensor4D {
  const [batch, tokens, channels] = x.shape
  const apart: tf.Tensor4D = tf.reshape(x, [batch, tokens, heads, channels / heads])
  return tf.transpose(apart, form === 'turned' ? [0, 2, 3, 1] : [0, 2, 1, 3])
}

/** The inverse of {@link splitHeads}. */
export function mergeHeads(x: tf.Tensor4D, form?: 'turned'): tf.Tensor3D {
  const apart: tf.Tensor4D = tf.transpose(x, form === 'turned' ? [0, 3, 1, 2] : [0, 2, 1, 3])
  const [batch, tokens, heads, depth] = apart.shape
  return tf.reshape(apart, [batch, tokens, heads * depth])
}
