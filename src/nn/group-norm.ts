import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, runUntapedKernel, withGradient } from '../core/index.js'
import { silu } from './activations.js'
import type { NormParameters } from './parameters.js'

/**
 * Group normalisation (Wu & He 2018): each sample's channels are split into `groups`, and each group is
 * normalised over its channels and all pixels with the biased variance.
 *
 * Mean, deviation, scale and shift of a channel make one factor `a` and one term `b`, so that the pixels are passed
 * over only for the mean, for the variance and for `a x + b`; and so is the gradient: `dx = a dy + A x + B`. Backends
 * that are slow at many small operations have kernels for both.
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
  // By the pixels, and the sums of dy n and of dy over the pixels of a channel; n is not written out.
  const gradientByOperations = (
    inputs: Record<'dy' | 'x' | 'weight' | 'mean' | 'inverse', tf.Tensor>,
  ): tf.Tensor[] => {
    const [mean, inverse] = [perChannel(inputs.mean), perChannel(inputs.inverse)]
    const averages = overPixels(inputs.dy as tf.Tensor3D)
    const products = tf.mul<tf.Tensor3D>(
      tf.sub(overPixels(tf.mul(inputs.dy, inputs.x)), tf.mul(mean, averages)),
      inverse,
    )
    const ofGroup = (t: tf.Tensor3D) => perChannel(overGroup(tf.mul(t, inputs.weight)))
    const along = tf.mul(tf.mul(ofGroup(products), inverse), inverse)
    const constant = tf.sub(tf.mul(along, mean), tf.mul(ofGroup(averages), inverse))
    const own = tf.mul(inputs.dy, tf.mul(inputs.weight, inverse))
    const dx = tf.add(tf.sub(own, tf.mul(inputs.x, along)), constant)
    return [dx, tf.mul(products, height * width), tf.mul(averages, height * width)]
  }
  return withGradient<tf.Tensor4D>([x, weight, bias], {
    forward: (save) => {
      const own = runOwnKernel('GroupNorm', { x, weight, bias }, { groups, epsilon })
      const [y, mean, inverse] = own ?? byOperations()
      save([x, weight, mean!, inverse!])
      return (own ? y! : tf.reshape(y!, x.shape)) as tf.Tensor4D
    },
    backward: (dy, [input, scale, mean, inverse]) => {
      const rest = { weight: scale!, mean: mean!, inverse: inverse! }
      const [dx, products, sums] =
        runOwnKernel('GroupNormGrad', { dy, x: input!, ...rest }, { groups }) ??
        gradientByOperations({ dy: pixelsOf(dy), x: pixelsOf(input!), ...rest })
      return [() => tf.reshape(dx!, x.shape), () => tf.sum(products!, [0, 1]), () => tf.sum(sums!, [0, 1])]
    },
  })
}

/** `silu(groupNorm(x))`, in one pass where the backend can and nothing is differentiated. As {@link groupNorm}. */
export function groupNormSilu(
  { weight, bias }: NormParameters,
  x: tf.Tensor4D,
  groups: number,
  epsilon: number,
): tf.Tensor4D {
  const [own] = runUntapedKernel('GroupNormSilu', { x, weight, bias }, { groups, epsilon }) ?? []
  return (own ?? tf.tidy(() => silu(groupNorm({ weight, bias }, x, groups, epsilon)))) as tf.Tensor4D
}
