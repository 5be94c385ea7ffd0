import * as tf from '@tensorflow/tfjs'
import { type UNetConfig, type UNetParameters, unet } from '../models/index.js'
import type { Prediction } from '../schedulers/index.js'

/** One noised, conditioned batch. The tensors are borrowed. */
export interface DenoisingBatch {
  /** Clean, scaled latents `[batch, height, width, channels]`. */
  readonly latents: tf.Tensor4D
  /** Standard normal, of the same shape. */
  readonly noise: tf.Tensor4D
  /** One training timestep per row. */
  readonly timesteps: readonly number[]
  /** Prompt embeddings `[batch, tokens, width]`. */
  readonly context: tf.Tensor3D
}

/**
 * The denoising loss `mean (target − network(√ᾱ z + √(1−ᾱ) ε, t, context))²` (Ho et al. 2020, eq. 14), the target
 * being ε, v = √ᾱ ε − √(1−ᾱ) z (Salimans & Ho 2022), or z.
 *
 * @param parameters - the denoiser's, borrowed
 * @param config - the denoiser's
 * @param alphasCumprod - ᾱ of every training timestep
 * @param prediction - what the network predicts
 * @returns a scalar, differentiable in parameters and context; owned by the caller
 */
export function denoisingLoss(
  parameters: UNetParameters,
  config: UNetConfig,
  alphasCumprod: Float32Array,
  prediction: Prediction,
  { latents, noise, timesteps, context }: DenoisingBatch,
): tf.Scalar {
  return tf.tidy(() => {
    const column = (f: (alpha: number) => number): tf.Tensor4D =>
      tf.tensor4d(
        timesteps.map((t) => f(alphasCumprod[t]!)),
        [timesteps.length, 1, 1, 1],
      )
    const [signal, spread] = [column(Math.sqrt), column((alpha) => Math.sqrt(1 - alpha))]
    const noisy = tf.add<tf.Tensor4D>(tf.mul(signal, latents), tf.mul(spread, noise))
    const targets: Record<Prediction, () => tf.Tensor> = {
      epsilon: () => noise,
      v: () => tf.sub(tf.mul(signal, noise), tf.mul(spread, latents)),
      sample: () => latents,
    }
    const output = unet(parameters, config, noisy, { timestep: timesteps, context })
    return tf.mean(tf.square(tf.sub(output, targets[prediction]()))) as tf.Scalar
  })
}
