import * as tf from '@tensorflow/tfjs'
import type { NormParameters } from './parameters.js'
import { standardize } from './standardize.js'

/**
 * Group normalisation (Wu & He 2018): each sample's channels are split into `groups`, and each group is
 * normalised over its channels and all pixels with the biased variance.
 *
 * @param parameters - scale and shift per channel
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param groups - divides the channels
 * @param epsilon - added to the variance
 * @returns same shape, owned by the caller
 */
export function groupNorm(
  parameters: NormParameters,
  x: tf.Tensor4D,
  groups: number,
  epsilon: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = x.shape
    // Pixels first, then the few channels of a group: every pass over the pixels then runs along the channels.
    const average = (t: tf.Tensor3D) => {
      const perGroup = tf.mean(tf.reshape(tf.mean(t, 1), [batch, groups, channels / groups]), 2, true)
      return tf.reshape(tf.tile(perGroup, [1, 1, channels / groups]), [batch, 1, channels])
    }
    const pixels: tf.Tensor3D = tf.reshape(x, [batch, height * width, channels])
    const normal = tf.reshape(standardize(pixels, average, epsilon), x.shape)
    return tf.add(tf.mul(normal, parameters.weight), parameters.bias)
  })
}

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
