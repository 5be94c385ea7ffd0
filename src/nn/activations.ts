import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, withGradient } from '../core/index.js'

/** `silu(x) = x sigmoid(x)`, also called swish (Elfwing et al. 2017). New tensor, owned by the caller. */
export function silu<T extends tf.Tensor>(x: T): T {
  return withGradient<T>([x], {
    forward: (save) => {
      const [y] = runOwnKernel('Swish', { x }) ?? [tf.mul(x, tf.sigmoid(x))]
      save([x, y!])
      return y as T
    },
    // s + x s (1 − s); y is kept by the layer that follows as well.
    backward: (dy, [input, y]) => [
      () => {
        const s = tf.sigmoid(input!)
        return tf.mul(dy, tf.add(s, tf.mul(y!, tf.sub(1, s))))
      },
    ],
  })
}

/** `gelu(x) = x Phi(x)`, the exact form by `erf` (Hendrycks & Gimpel 2016). New tensor, owned by the caller. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return geluOp(x) as T
}

// The gradient written out, Phi(x) + x phi(x), reuses Phi.
const geluOp = tf.customGrad((x, save) => {
  const cdf = tf.tidy(() => tf.mul(tf.add(tf.erf(tf.mul(x as tf.Tensor, Math.SQRT1_2)), 1), 0.5))
  ;(save as tf.GradSaveFunc)([x as tf.Tensor, cdf])
  const gradFunc = (dy: tf.Tensor, [input, phi]: tf.Tensor[]) =>
    tf.tidy(() => {
      const density = tf.exp(tf.mul(tf.square(input!), -0.5))
      return tf.mul(dy, tf.add(phi!, tf.mul(tf.mul(input!, density), 1 / Math.sqrt(2 * Math.PI))))
    })
  return { value: tf.mul(x as tf.Tensor, cdf), gradFunc }
})

/** `relu(x) = max(x, 0)`. New tensor, owned by the caller. */
export function relu<T extends tf.Tensor>(x: T): T {
  return reluOp(x) as T
}

// TensorFlow.js's own gradient also looks for NaN, at four times the cost.
const reluOp = tf.customGrad((x, save) => {
  const value = tf.relu(x as tf.Tensor)
  ;(save as tf.GradSaveFunc)([value])
  const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) =>
    tf.tidy(() => tf.mul(dy, tf.cast(tf.greater(y!, 0), 'float32')))
  return { value, gradFunc }
})

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
  return withGradient<tf.Tensor3D>([x], {
    forward: (save) => {
      const [value, gate] = tf.split(x, 2, -1) as [tf.Tensor3D, tf.Tensor3D]
      const below = tf.add(tf.mul(tf.erf(tf.mul(gate, Math.SQRT1_2)), 0.5), 0.5)
      save([value, gate, below])
      return tf.mul(tf.mul(value, gate), below)
    },
    // gelu'(b) = Φ(b) + b φ(b)
    backward: (dy, [value, gate, below]) => [
      () => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(gate!), -0.5)), 1 / Math.sqrt(2 * Math.PI))
        const slope = tf.add(below!, tf.mul(gate!, density))
        return tf.concat([tf.mul(tf.mul(dy, below!), gate!), tf.mul(tf.mul(dy, value!), slope)], -1)
      },
    ],
  })
}
