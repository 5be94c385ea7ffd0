import * as tf from '@tensorflow/tfjs'
import { withGradient } from '../core/index.js'

/**
 * Zero mean and unit (biased) variance under an average: `n = (x − μ) / √(σ² + ε)`.
 *
 * The gradient is written out, `dx = (dn − μ(dn) − n μ(dn n)) / √(σ² + ε)`: half the passes over memory of what
 * automatic differentiation makes of the forward line.
 *
 * @param x - any shape, borrowed
 * @param average - a mean over some of the entries, in a shape that broadcasts against `x`
 * @param epsilon - added to the variance
 * @returns same shape, owned by the caller
 */
export function standardize<T extends tf.Tensor>(x: T, average: (t: T) => tf.Tensor, epsilon: number): T {
  return withGradient<T>([x], {
    forward: (save) => {
      const centred = tf.sub<T>(x, average(x))
      const inverse = tf.rsqrt(tf.add(average(tf.square(centred)), epsilon))
      const normal = tf.mul<T>(centred, inverse)
      save([normal, inverse])
      return normal
    },
    backward: (dy, [normal, inverse]) => [
      () => {
        const along = tf.mul(normal!, average(tf.mul(dy, normal!)))
        return tf.mul(tf.sub(tf.sub(dy, average(dy)), along), inverse!)
      },
    ],
  })
}
