import * as tf from '@tensorflow/tfjs'
import type { LinearParameters } from './parameters.js'

/**
 * `y = x W + b` over the last axis.
 *
 * @param parameters - `weight [in, out]`, optional `bias [out]`
 * @param x - `[..., in]`, borrowed
 * @returns `[..., out]`, owned by the caller
 */
export function linear<T extends tf.Tensor>({ weight, bias }: LinearParameters, x: T): T {
  return tf.tidy(() => {
    const [width, out] = weight.shape
    // One 2-D product: the only form that every backend is fast at.
    const y = tf.matMul(tf.reshape(x, [-1, width]), weight)
    return tf.reshape(bias ? tf.add(y, bias) : y, [...x.shape.slice(0, -1), out]) as T
  })
}
