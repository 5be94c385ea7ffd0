import * as tf from '@tensorflow/tfjs'
import { runKernel, runOwnKernel, runUntapedKernel, withGradient } from '../core/index.js'
import type { LinearParameters } from './parameters.js'

/**
 * `y = x W + b` over the last axis.
 *
 * @param parameters - `weight [in, out]`, optional `bias [out]`
 * @param x - `[..., in]`, borrowed
 * @returns `[..., out]`, owned by the caller
 */
export function linear<T extends tf.Tensor>({ weight, bias }: LinearParameters, x: T): T {
  const [width, out] = weight.shape
  // One 2-D product: the only form that every backend is fast at.
  const rowsOf = (t: tf.Tensor): tf.Tensor2D =>
    t.rank === 2 ? (t as tf.Tensor2D) : tf.reshape(t, [-1, t.shape.at(-1)!])
  const likeX = (y: tf.Tensor2D, last: number): T =>
    (x.rank === 2 ? y : tf.reshape(y, [...x.shape.slice(0, -1), last])) as T
  // Not tf.fused.matMul, which computes the gradients of all three or of none.
  return withGradient<T>(bias ? [x, weight, bias] : [x, weight], {
    forward: (save) => {
      save([x, weight])
      const [own] = runOwnKernel('Linear', { x, weight, ...(bias && { bias }) }) ?? []
      if (own) return own as T
      if (!bias) return likeX(tf.matMul(rowsOf(x), weight), out)
      const attributes = { transposeA: false, transposeB: false, activation: 'linear' }
      return likeX(runKernel('_FusedMatMul', { a: rowsOf(x), b: weight, bias }, attributes), out)
    },
    backward: (dy, [input, w]) => [
      () => likeX(tf.matMul(rowsOf(dy), w as tf.Tensor2D, false, true), width),
      () => tf.matMul(rowsOf(input!), rowsOf(dy), true, false),
      ...(bias ? [() => runOwnKernel('SumRows', { x: dy })?.[0] ?? tf.sum(rowsOf(dy), 0)] : []),
    ],
  })
}

/** `linear(x) + plus`, in one pass where the backend can and nothing is differentiated. As {@link linear}. */
export function linearPlus<T extends tf.Tensor>(parameters: LinearParameters, x: T, plus: T): T {
  const { weight, bias } = parameters
  const [own] = runUntapedKernel('LinearPlus', { x, weight, ...(bias && { bias }), plus }) ?? []
  return (own ?? tf.tidy(() => tf.add(linear(parameters, x), plus))) as T
}
