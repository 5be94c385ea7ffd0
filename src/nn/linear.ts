import * as tf from '@tensorflow/tfjs'
import { runKernel, withGradient } from '../core/index.js'
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
    const rows = (x.rank === 2 ? x : tf.reshape(x, [-1, width])) as tf.Tensor2D
    const y = bias ? biasedProduct(rows, weight, bias) : tf.matMul(rows, weight)
    return (x.rank === 2 ? y : tf.reshape(y, [...x.shape.slice(0, -1), out])) as T
  })
}

// Not tf.fused.matMul, which computes the gradients of all three or of none.
function biasedProduct(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, weight, bias], {
    forward: (save) => {
      save([x, weight])
      const attributes = { transposeA: false, transposeB: false, activation: 'linear' }
      return runKernel('_FusedMatMul', { a: x, b: weight, bias }, attributes)
    },
    backward: (dy, [input, w]) => [
      () => tf.matMul(dy, w as tf.Tensor2D, false, true),
      () => tf.matMul(input as tf.Tensor2D, dy, true, false),
      () => tf.sum(dy, 0),
    ],
  })
}
