import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { Prediction } from './scheduler.js'

/** How much of x is signal and how much is noise: `x = alpha x0 + sigma z` with `alpha² + sigma² = 1`. */
export interface Level {
  /** Root of the cumulative alpha. */
  readonly alpha: number
  /** Root of one minus the cumulative alpha. */
  readonly sigma: number
}

/** The level at a cumulative alpha. */
export function levelAt(cumulativeAlpha: number): Level {
  return { alpha: Math.sqrt(cumulativeAlpha), sigma: Math.sqrt(1 - cumulativeAlpha) }
}

/** The level at a noise-to-signal ratio `sigma / alpha`, the sigma of Karras et al. 2022. */
export function levelAtRatio(ratio: number): Level {
  const alpha = 1 / Math.sqrt(ratio ** 2 + 1)
  return { alpha, sigma: ratio * alpha }
}

/** What a prediction says of clean latents and noise. Owned by the caller. */
export interface Estimates {
  /** The clean latents. */
  readonly denoised: Tensor4D
  /** The noise. */
  readonly noise: Tensor4D
}

/**
 * What the network's output says about x, whichever of the three it was trained to predict:
 *
 * - epsilon: `x0 = (x - sigma e) / alpha`
 * - v (Salimans & Ho 2022): `x0 = alpha x - sigma v`, `e = alpha v + sigma x`
 * - sample: `e = (x - alpha x0) / sigma`
 *
 * @param prediction - what `output` is
 * @param x - noisy latents at `level`, borrowed
 * @param output - the network's prediction for them, borrowed
 * @param level - signal and noise of `x`
 * @returns estimates of the clean latents and of the noise; both owned by the caller
 */
export function readPrediction(
  prediction: Prediction,
  x: Tensor4D,
  output: Tensor4D,
  { alpha, sigma }: Level,
): Estimates {
  return tf.tidy(() => {
    switch (prediction) {
      case 'epsilon':
        return { denoised: x.sub(output.mul(sigma)).div<Tensor4D>(alpha), noise: output.clone() }
      case 'v':
        return {
          denoised: x.mul(alpha).sub<Tensor4D>(output.mul(sigma)),
          noise: output.mul(alpha).add<Tensor4D>(x.mul(sigma)),
        }
      case 'sample':
        return { denoised: output.clone(), noise: x.sub(output.mul(alpha)).div<Tensor4D>(sigma) }
    }
  })
}

/**
 * Clean latents and noise to latents at a level: `alpha x0 + sigma z`.
 *
 * @param clean - borrowed
 * @param noise - standard normal, of the same shape, borrowed
 * @param level - signal and noise of the result
 * @returns owned by the caller
 */
export function diffuse(clean: Tensor4D, noise: Tensor4D, { alpha, sigma }: Level): Tensor4D {
  return tf.tidy(() => clean.mul(alpha).add(noise.mul(sigma)))
}
