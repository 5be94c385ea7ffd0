import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, withGradient } from '../core/index.js'
import type { NormParameters } from './parameters.js'

/** What layer norms add to the variance unless they are told otherwise, as in PyTorch. */
export const layerNormEpsilon = 1e-5

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
export function layerNorm<T extends tf.Tensor>(
  { weight, bias }: NormParameters,
  x: T,
  epsilon = layerNormEpsilon,
): T {
  const average = (t: tf.Tensor): tf.Tensor => tf.mean(t, -1, true)
  const standardised = (t: tf.Tensor): [normal: tf.Tensor, inverse: tf.Tensor] => {
    const centred = tf.sub(t, average(t))
    const inverse = tf.rsqrt(tf.add(average(tf.square(centred)), epsilon))
    return [tf.mul(centred, inverse), inverse]
  }
  const perChannel = (t: tf.Tensor): tf.Tensor => tf.sum(tf.reshape(t, [-1, weight.size]), 0)
  return withGradient<T>([x, weight, bias], {
    forward: (save) => {
      save([x, weight])
      const [y] = runOwnKernel('LayerNorm', { x, weight, bias }, { epsilon }) ?? []
      return (y ?? tf.add(tf.mul(standardised(x)[0], weight), bias)) as T
    },
    backward: (dy, [input, scale]) => [
      () => {
        const [own] = runOwnKernel('LayerNormGrad', { dy, x: input!, weight: scale! }, { epsilon }) ?? []
        if (own) return own
        const [normal, inverse] = standardised(input!)
        const dNormal = tf.mul(dy, scale!)
        const along = tf.mul(normal, average(tf.mul(dNormal, normal)))
        return tf.mul(tf.sub(tf.sub(dNormal, average(dNormal)), along), inverse)
      },
      () => perChannel(tf.mul(dy, standardised(input!)[0])),
      () => perChannel(dy),
    ],
  })
}
