import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, withGradient } from '../core/index.js'
import type { NormParameters } from './parameters.js'

/**
 * Layer normalisation (Ba et al. 2016) over the last axis, with the biased variance:
 * `y = n w + b` where `n = (x − μ) / √(σ² + ε)`.
 *
 * The gradient is written out, `dx = (dn − μ(dn) − n μ(dn n)) / √(σ² + ε)` where `dn = dy w`: half the passes over memory
 * of what automatic differentiation makes of the forward line.
 *
 * @param parameters - scale and shift per channel
 * @param x - `[..., channels]`, borrowed
 * @param epsilon - added to the variance
 * @returns same shape, owned by the caller
 */
export function layerNorm<T extends tf.Tensor>({ weight, bias }: NormParameters, x: T, epsilon = 1e-5): T {
  return tf.tidy(
    () => tf.reshape(normalizeRows(weight, bias, tf.reshape(x, [-1, 1, weight.size]), epsilon), x.shape) as T,
  )
}

function normalizeRows(
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  rows: tf.Tensor3D,
  epsilon: number,
): tf.Tensor3D {
  const average = (t: tf.Tensor): tf.Tensor3D => tf.mean(t, 2, true)
  const standardised = (x: tf.Tensor): [normal: tf.Tensor, inverse: tf.Tensor] => {
    const centred = tf.sub(x, average(x))
    const inverse = tf.rsqrt(tf.add(average(tf.square(centred)), epsilon))
    return [tf.mul(centred, inverse), inverse]
  }
  return withGradient<tf.Tensor3D>([rows, weight, bias], {
    forward: (save) => {
      save([rows, weight])
      const [y] = runOwnKernel('LayerNorm', { x: rows, weight, bias }, { epsilon }) ?? []
      return (y ?? tf.add(tf.mul(standardised(rows)[0], weight), bias)) as tf.Tensor3D
    },
    backward: (dy, [input, scale]) => [
      () => {
        const [normal, inverse] = standardised(input!)
        const dNormal = tf.mul(dy, scale!)
        const along = tf.mul(normal, average(tf.mul(dNormal, normal)))
        return tf.mul(tf.sub(tf.sub(dNormal, average(dNormal)), along), inverse)
      },
      () => tf.sum(tf.mul(dy, standardised(input!)[0]), [0, 1]),
      () => tf.sum(dy, [0, 1]),
    ],
  })
}
