import * as tf from '@tensorflow/tfjs'

/** `silu(x) = x sigmoid(x)`, also called swish (Elfwing et al. 2017). New tensor, owned by the caller. */
export function silu<T extends tf.Tensor>(x: T): T {
  return siluOp(x) as T
}

// The gradient written out, s (1 + x (1 − s)), reuses the sigmoid.
const siluOp = tf.customGrad((x, save) => {
  const sigmoid = tf.sigmoid(x as tf.Tensor)
  ;(save as tf.GradSaveFunc)([x as tf.Tensor, sigmoid])
  const gradFunc = (dy: tf.Tensor, [input, s]: tf.Tensor[]) =>
    tf.mul(dy, tf.mul(s!, tf.add(tf.mul(input!, tf.sub(1, s!)), 1)))
  return { value: tf.mul(x as tf.Tensor, sigmoid), gradFunc }
})

/** `gelu(x) = x Phi(x)`, the exact form by `erf` (Hendrycks & Gimpel 2016). New tensor, owned by the caller. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)) as T)
}

/** `quickGelu(x) = x sigmoid(1.702 x)`: OpenAI CLIP's approximation of {@link gelu}. Owned by the caller. */
export function quickGelu<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))) as T)
}

/**
 * `geglu(a, b) = a gelu(b)` where `x = [a, b]` along the last axis, in that order (Shazeer 2020).
 *
 * @param x - `[..., 2 channels]`, borrowed
 * @returns `[..., channels]`, owned by the caller
 */
export function geglu(x: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const [value, gate] = tf.split(x, 2, -1) as [tf.Tensor3D, tf.Tensor3D]
    return tf.mul(value, gelu(gate))
  })
}
