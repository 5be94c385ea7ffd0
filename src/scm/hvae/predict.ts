import * as tf from '@tensorflow/tfjs'
import { hvaeDecode } from './decoder.js'
import type { Hvae } from './hvae.js'
import { hvaePixels, type PixelGaussian } from './likelihood.js'

/** `g(z, pa)`: the pixels' distribution given latents and parents, no draw made; owned as {@link hvaePixels} says. */
export function pixelsOfLatents(
  { parameters, config }: Hvae,
  latents: readonly tf.Tensor4D[],
  parents: tf.Tensor2D,
): PixelGaussian {
  const draw = (): never => {
    throw new Error('every latent is given')
  }
  return hvaePixels(parameters, hvaeDecode(parameters, config, parents, { latents, draw }).h)
}

/** The pixels' own noise, `u = (x − loc) / scale`: what the latents did not explain. */
export function abductResidual(x: tf.Tensor4D, { loc, scale }: PixelGaussian): tf.Tensor4D {
  return tf.tidy(() => tf.div(tf.sub(x, loc), tf.maximum(scale, 1e-12)))
}

/** `clamp(loc + t scale u)` in [-1, 1]: the residual played back, by a part `t`. */
export function replayResidual({ loc, scale }: PixelGaussian, u: tf.Tensor4D, t = 1): tf.Tensor4D {
  return tf.tidy(() => tf.clipByValue(tf.add<tf.Tensor4D>(loc, tf.mul(tf.mul(scale, u), t)), -1, 1))
}
