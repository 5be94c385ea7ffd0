import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, withGradient } from '../core/index.js'
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
  // One number per channel to one per group, and back.
  const overGroup = (t: tf.Tensor3D): tf.Tensor3D =>
    tf.mean(tf.reshape(t, [batch, 1, groups, channels / groups]), 3)
  const perChannel = (t: tf.Tensor): tf.Tensor3D =>
    tf.reshape(tf.tile(tf.reshape(t, [batch, groups, 1]), [1, 1, channels / groups]), [batch, 1, channels])

  const byOperations = (): [y: tf.Tensor3D, mean: tf.Tensor3D, inverse: tf.Tensor3D] => {
    const pixels = pixelsOf(x)
    const mean = overGroup(overPixels(pixels))
    const centre = perChannel(mean)
    const variance = overGroup(overPixels(tf.squaredDifference<tf.Tensor3D>(pixels, centre)))
    const inverse = tf.rsqrt(tf.add<tf.Tensor3D>(variance, epsilon))
    const factor = tf.mul<tf.Tensor3D>(weight, perChannel(inverse))
    return [tf.add(tf.mul(pixels, factor), tf.sub(bias, tf.mul(centre, factor))), mean, inverse]
  }
  return withGradient<tf.Tensor4D>([x, weight, bias], {
    forward: (save) => {
      const inputs = { x: pixelsOf(x), weight, bias }
      const [y, mean, inverse] = runOwnKernel('GroupNorm', inputs, { groups, epsilon }) ?? byOperations()
      save([x, weight, mean!, inverse!])
      return tf.reshape(y!, x.shape)
    },
    backward: (dy, [input, scale, groupMean, groupInverse]) => {
      const [pixels, dPixels] = [pixelsOf(input!), pixelsOf(dy)]
      const [mean, inverse] = [perChannel(groupMean!), perChannel(groupInverse!)]
      // Averages of dy, and of dy times the normalised pixels, which are not written out.
      const first = overPixels(dPixels)
      const second = tf.tidy(() => {
        const product = overPixels(tf.mul(dPixels, pixels))
        return tf.mul<tf.Tensor3D>(tf.sub(product, tf.mul(mean, first)), inverse)
      })
      const total = (t: tf.Tensor) => tf.mul(tf.sum(t, [0, 1]), height * width)
      const ofGroup = (t: tf.Tensor3D) => perChannel(overGroup(tf.mul(t, scale!)))
      return [
        () => {
          const along = tf.mul(tf.mul(ofGroup(second), inverse), inverse)
          const constant = tf.sub(tf.mul(along, mean), tf.mul(ofGroup(first), inverse))
          const own = tf.mul(dPixels, tf.mul(scale!, inverse))
          return tf.reshape(tf.add(tf.sub(own, tf.mul(pixels, along)), constant), x.shape)
        },
        () => total(second),
        () => total(first),
      ]
    },
  })
}
