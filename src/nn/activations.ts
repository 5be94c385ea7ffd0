import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, withGradient } from '../core/index.js'

/** `silu(x) = x sigmoid(x)`, also called swish (Elfwing et al. 2017). New tensor, owned by the caller. */
export function silu<T extends tf.Tensor>(x: T): T {
  return swish(x, 1)
}

/** `quickGelu(x) = x sigmoid(1.702 x)`: OpenAI CLIP's approximation of {@link gelu}. Owned by the caller. */
export function quickGelu<T extends tf.Tensor>(x: T): T {
  return swish(x, 1.702)
}

// x σ(s x), whose slope is σ + s x σ (1 − σ).
function swish<T extends tf.Tensor>(x: T, scale: number): T {
  const scaled = (t: tf.Tensor) => (scale === 1 ? t : tf.mul(t, scale))
  return withGradient<T>([x], {
    forward: (save) => {
      save([x])
      const [y] = runOwnKernel('Swish', { x }, { scale }) ?? [tf.mul(x, tf.sigmoid(scaled(x)))]
      return y as T
    },
    backward: (dy, [input]) => [
      () => {
        const [dx] = runOwnKernel('SwishGrad', { dy, x: input! }, { scale }) ?? []
        if (dx) return dx
        const s = tf.sigmoid(scaled(input!))
        return tf.mul(dy, tf.mul(s, tf.add(tf.mul(scaled(input!), tf.sub(1, s)), 1)))
      },
    ],
  })
}

/** `gelu(x) = x Phi(x)`, the exact form by `erf` (Hendrycks & Gimpel 2016). New tensor, owned by the caller. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return withGradient<T>([x], {
    forward: (save) => {
      save([x])
      const [y] = runOwnKernel('Gelu', { x }) ?? [tf.mul(x, normalCdf(x))]
      return y as T
    },
    backward: (dy, [input]) => [
      () =>
        runOwnKernel('GeluGrad', { dy, x: input! })?.[0] ?? tf.mul(dy, geluSlope(input!, normalCdf(input!))),
    ],
  })
}

/**
 * `geglu(a, b) = a gelu(b)` where `x = [a, b]` along the last axis, in that order (Shazeer 2020).
 *
 * @param x - `[..., 2 channels]`, borrowed
 * @returns `[..., channels]`, owned by the caller
 */
export function geglu(x: tf.Tensor3D): tf.Tensor3D {
  const halves = (t: tf.Tensor) => tf.split(t, 2, -1) as [tf.Tensor, tf.Tensor]
  return withGradient<tf.Tensor3D>([x], {
    forward: (save) => {
      save([x])
      const [own] = runOwnKernel('Geglu', { x }) ?? []
      if (own) return own as tf.Tensor3D
      const [value, gate] = halves(x)
      return tf.mul(tf.mul(value, gate), normalCdf(gate))
    },
    backward: (dy, [input]) => [
      () => {
        const [own] = runOwnKernel('GegluGrad', { dy, x: input! }) ?? []
        if (own) return own
        const [value, gate] = halves(input!)
        const below = normalCdf(gate)
        return tf.concat(
          [tf.mul(tf.mul(dy, below), gate), tf.mul(tf.mul(dy, value), geluSlope(gate, below))],
          -1,
        )
      },
    ],
  })
}

const normalCdf = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5)

// gelu'(x) = Φ(x) + x φ(x)
const geluSlope = (x: tf.Tensor, below: tf.Tensor): tf.Tensor => {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return tf.add(below, tf.mul(x, density))
}

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
