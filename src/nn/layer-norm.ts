import * as tf from '@tensorflow/tfjs'
import type { NormParameters } from './parameters.js'
import { standardize } from './standardize.js'

/**
 * Layer normalisation (Ba et al. 2016) over the last axis, with the biased variance.
 *
 * @param parameters - scale and shift per channel
 * @param x - `[..., channels]`, borrowed
 * @param epsilon - added to the variance
 * @returns same shape, owned by the caller
 */
export function layerNorm<T extends tf.Tensor>(parameters: NormParameters, x: T, epsilon = 1e-5): T {
  return tf.tidy(() => {
    const normal = standardize(x, (t) => tf.mean(t, -1, true), epsilon)
    return tf.add(tf.mul(normal, parameters.weight), parameters.bias) as T
  })
}
