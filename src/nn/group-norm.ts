import * as tf from '@tensorflow/tfjs'
import { withGradient } from '../core/index.js'
import type { NormParameters } from './parameters.js'

/**
 * Group normalisation (Wu & He 2018): each sample's channels are split into `groups`, and each group is
 * normalised over its channels and all pixels with the biased variance.
 *
 * Mean, deviation, scale and shift of a channel make one factor `a` and one term `b`, so that the pixels are passed
 * over only for the mean, for the variance and for `a x + b`; and so is the gradient: `dx = a dy + A x + B`.
 *
 * @param parameters - scale and shift per channel
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param groups - divides the channels
 * @param epsilon - added to the variance
 * @returns same shape, owned by the caller
 */
export function groupNorm(
  { weight, bias }: NormParameters,
  x: tf.Tensor4D,
  groups: number,
  epsilon: number,
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  const pixelsOf = (t: tf.Tensor): tf.Tensor3D => tf.reshape(t, [batch, height * width, channels])
  const overPixels = (t: tf.Tensor3D): tf.Tensor3D => tf.mean(t, 1, true)
  // From one number per channel to their group's mean, again one per channel.
  const overGroup = (t: tf.Tensor3D): tf.Tensor3D => {
    const perGroup = tf.mean(tf.reshape(t, [batch, groups, channels / groups]), 2, true)
    return tf.reshape<tf.Rank.R3>(tf.tile(perGroup, [1, 1, channels / groups]), [batch, 1, channels])
  }
  return withGradient<tf.Tensor4D>([x, weight, bias], {
    forward: (save) => {
      const pixels = pixelsOf(x)
      const mean = overGroup(overPixels(pixels))
      const variance = overGroup(overPixels(tf.squaredDifference<tf.Tensor3D>(pixels, mean)))
      const inverse = tf.rsqrt(tf.add<tf.Tensor3D>(variance, epsilon))
      const factor = tf.mul(weight, inverse)
      save([x, weight, mean, inverse])
      return tf.reshape(tf.add(tf.mul(pixels, factor), tf.sub(bias, tf.mul(mean, factor))), x.shape)
    },
    backward: (dy, [input, scale, mean, inverse]) => {
      const [pixels, dPixels] = [pixelsOf(input!), pixelsOf(dy)]
      // Averages of dy, and of dy times the normalised pixels, which are not written out.
      const first = overPixels(dPixels)
      const second = tf.tidy(() => {
        const product = overPixels(tf.mul(dPixels, pixels))
        return tf.mul<tf.Tensor3D>(tf.sub(product, tf.mul(mean!, first)), inverse!)
      })
      const total = (t: tf.Tensor) => tf.mul(tf.sum(t, [0, 1]), height * width)
      return [
        () => {
          const along = tf.mul(tf.mul(overGroup(tf.mul(second, scale!)), inverse!), inverse!)
          const constant = tf.sub(tf.mul(along, mean!), tf.mul(overGroup(tf.mul(first, scale!)), inverse!))
          const own = tf.mul(dPixels, tf.mul(scale!, inverse!))
          return tf.reshape(tf.add(tf.sub(own, tf.mul(pixels, along)), constant), x.shape)
        },
        () => total(second),
        () => total(first),
      ]
    },
  })
}
