import * as tf from '@tensorflow/tfjs'
import { conv2d } from '../../nn/index.js'
import type { HvaeParameters } from './parameters.js'

/** A picture's distribution, pixel by pixel; both `[batch, height, width, channels]`, for values in [-1, 1]. */
export interface PixelGaussian {
  /** The mean. */
  readonly loc: tf.Tensor4D
  /** The deviation. */
  readonly scale: tf.Tensor4D
}

/** The least log-deviation. */
const LEAST_LOGSCALE = -9
/** Half of one of 256 levels of a value in [-1, 1]. */
const HALF_LEVEL = 1 / 255

/**
 * What the model would paint: the mean, clamped to [-1, 1], and the deviation. Of three channels, green's mean moves
 * with red, and blue's with both, each with the means before it.
 *
 * @param h - the decoder's output, borrowed
 * @returns owned by the caller, or by the tidy around the call
 */
export function hvaePixels({ likelihood }: HvaeParameters, h: tf.Tensor4D): PixelGaussian {
  const { loc, logscale, coefficients } = heads(likelihood, h)
  const scale = tf.exp(logscale)
  if (!coefficients) return { loc: tf.clipByValue(loc, -1, 1), scale }
  const [r, g, b] = tf.split(loc, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]
  const [gr, br, bg] = tf.split(coefficients, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]
  const red = tf.clipByValue(r, -1, 1)
  const green = tf.clipByValue(tf.add<tf.Tensor4D>(g, tf.mul(gr, red)), -1, 1)
  const lean = tf.add(tf.mul(br, red), tf.mul(bg, green))
  const blue = tf.clipByValue(tf.add<tf.Tensor4D>(b, lean), -1, 1)
  return { loc: tf.concat4d([red, green, blue], 3), scale }
}

/**
 * The discretised Gaussian: the mass of each value's bin of width 2/255,
 *
 * ```text
 * −log [Φ((x + 1/255 − μ)/σ) − Φ((x − 1/255 − μ)/σ)],   Φ(v) ≈ ½ (1 + tanh √(2/π) (v + 0.044715 v³))
 * ```
 *
 * where bins beyond ±0.999 reach to infinity and no mass is below 1e-12.
 *
 * @param h - the decoder's output, borrowed
 * @param x - `[batch, height, width, channels]` in [-1, 1], borrowed
 * @returns nats per channel of a pixel, `[batch]`; owned by the caller
 */
export function hvaeNll({ likelihood }: HvaeParameters, h: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor1D {
  return tf.tidy(() => {
    const { loc, logscale, coefficients } = heads(likelihood, h)
    const mean = coefficients ? tf.add<tf.Tensor4D>(loc, leaning(coefficients, x)) : loc
    const centred = tf.sub(x, mean)
    const precision = tf.exp(tf.neg(logscale))
    const upper = approximateCdf(tf.mul(precision, tf.add(centred, HALF_LEVEL)))
    const lower = approximateCdf(tf.mul(precision, tf.sub(centred, HALF_LEVEL)))
    // One logarithm of the mass that applies: an infinite bin has no bound on its outer side.
    const top = tf.where(tf.greater(x, 0.999), tf.onesLike(upper), upper)
    const bottom = tf.where(tf.less(x, -0.999), tf.zerosLike(lower), lower)
    const mass = tf.maximum(tf.sub(top, bottom), 1e-12)
    return tf.neg(tf.mean<tf.Tensor1D>(tf.log(mass), [1, 2, 3]))
  })
}

function heads(likelihood: HvaeParameters['likelihood'], h: tf.Tensor4D) {
  return {
    loc: conv2d(likelihood.x_loc, h),
    logscale: tf.maximum(conv2d(likelihood.x_logscale, h), LEAST_LOGSCALE) as tf.Tensor4D,
    coefficients: likelihood.channel_coeffs && tf.tanh(conv2d(likelihood.channel_coeffs, h)),
  }
}

function leaning(coefficients: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D {
  const [red, green] = tf.split(x, 3, 3) as [tf.Tensor4D, tf.Tensor4D]
  const [gr, br, bg] = tf.split(coefficients, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]
  const blue = tf.add<tf.Tensor4D>(tf.mul(br, red), tf.mul(bg, green))
  return tf.concat4d([tf.zerosLike(red), tf.mul<tf.Tensor4D>(gr, red), blue], 3)
}

function approximateCdf(v: tf.Tensor4D): tf.Tensor4D {
  const inner = tf.add<tf.Tensor4D>(v, tf.mul(tf.mul(tf.square(v), v), 0.044715))
  return tf.mul(tf.add(roundedTanh(tf.mul(inner, Math.sqrt(2 / Math.PI))), 1), 0.5)
}

/**
 * The hyperbolic tangent, right to the last bit where it nears ±1: `sign(a) (1 − 2e / (1 + e))`, `e = exp −2|a|`.
 *
 * Far from the mean a bin's mass is a few such bits. TensorFlow's own kernel misses them, which moves a picture's
 * likelihood by hundredths of a nat.
 */
function roundedTanh(a: tf.Tensor4D): tf.Tensor4D {
  const op = tf.customGrad((x, save) => {
    const value = tf.tidy(() => {
      const e = tf.exp(tf.mul(tf.abs(x as tf.Tensor4D), -2))
      return tf.mul(tf.sign(x as tf.Tensor4D), tf.sub(1, tf.div(tf.mul(e, 2), tf.add(e, 1))))
    })
    ;(save as tf.GradSaveFunc)([value])
    const gradFunc = (dy: tf.Tensor, [t]: tf.Tensor[]) => tf.tidy(() => tf.mul(dy, tf.sub(1, tf.square(t!))))
    return { value, gradFunc }
  })
  return op(a) as tf.Tensor4D
}
