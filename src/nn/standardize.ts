import * as tf from '@tensorflow/tfjs'

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
  const op = tf.customGrad((input, save) => {
    const centred = tf.sub<T>(input as T, average(input as T))
    const inverse = tf.rsqrt(tf.add(average(tf.square(centred)), epsilon))
    const value = tf.mul(centred, inverse)
    ;(save as tf.GradSaveFunc)([value, inverse])
    const gradFunc = (dy: tf.Tensor, [normal, scale]: tf.Tensor[]) => {
      const along = tf.mul(normal!, average(tf.mul(dy as T, normal!)))
      return tf.mul(tf.sub(tf.sub(dy, average(dy as T)), along), scale!)
    }
    return { value, gradFunc }
  })
  return op(x) as T
}
