import * as tf from '@tensorflow/tfjs'
import type { Heads } from '../conditioner.js'

/** Keeps the literal names of heads in their type. */
export const asHeads = <const H extends Heads>(heads: H): H => heads

/** `log(1 + exp(x))` without overflow, and differentiable on every backend; owned by the caller. */
export function softplus(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.relu(x).add(x.abs().neg().exp().add(1).log()))
}

/** `-log(exp(-a) + exp(-b))`, the soft minimum, without overflow; owned by the caller. */
export function logAddExpNegative(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.minimum(a, b).sub(softplus(a.sub(b).abs().neg())))
}

/** `log N(x; 0, 1)`, element by element; owned by the caller. */
export function logStandardNormal(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() =>
    x
      .square()
      .add(Math.log(2 * Math.PI))
      .mul(-0.5),
  )
}

/** True where `a > b`. Unlike `tf.greater` it may stand on a differentiated path: its gradient is 0. Owned by the caller. */
export const above = (a: tf.Tensor, b: tf.Tensor | number): tf.Tensor => tf.step(tf.sub(a, b)).cast('bool')
