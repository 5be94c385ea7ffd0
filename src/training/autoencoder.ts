import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../core/index.js'
import {
  type AutoencoderConfig,
  type AutoencoderParameters,
  decode,
  encode,
  samplePosterior,
} from '../models/index.js'
import { type NamedParameters, parameterTree } from '../nn/index.js'
import { drawNormal } from './draw.js'
import { type FitOptions, fit } from './fit.js'
import type { TrainingState } from './state.js'

/** How the autoencoder's two terms are weighed, beside the usual options. */
export interface AutoencoderFitOptions extends FitOptions {
  /** Weight of the KL divergence per latent value; 1e-6 by default, as for Stable Diffusion's. */
  readonly klWeight?: number
}

/**
 * Fits a variational autoencoder: `mean (x − decode(z))² + β mean KL(q(z|x) ‖ N(0, 1))`, `z` drawn from `q(z|x)`
 * (Kingma & Welling 2014, eq. 8; the small β of Rombach et al. 2022).
 *
 * @param initial - named as in the checkpoint; borrowed
 * @param images - a batch for a step, `[batch, height, width, 3]` in [0, 1]; freed after the step
 * @returns the final state, owned by the caller
 */
export function fitAutoencoder(
  config: AutoencoderConfig,
  initial: NamedParameters,
  images: (step: number, random: TorchRandom) => tf.Tensor4D,
  options: AutoencoderFitOptions,
): Promise<TrainingState> {
  const { klWeight = 1e-6 } = options
  return fit(
    initial,
    {
      batch: (step, random) => {
        const x = images(step, random)
        const factor = 2 ** (config.block_out_channels.length - 1)
        const [batch, height, width] = x.shape
        const shape = [batch, height / factor, width / factor, config.latent_channels] as const
        return { x, noise: drawNormal(random, shape) }
      },
      loss: (named, { x, noise }) => {
        const parameters = parameterTree<AutoencoderParameters>(named)
        const target = tf.sub<tf.Tensor4D>(tf.mul(x, 2), 1)
        const posterior = encode(parameters, config, target)
        const error = tf.sub(decode(parameters, config, samplePosterior(posterior, noise)), target)
        const { mean, logVariance } = posterior
        const divergence = tf.mul(
          tf.mean(tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), tf.add(logVariance, 1))),
          0.5,
        )
        return tf.add(tf.mean(tf.square(error)), tf.mul(divergence, klWeight)) as tf.Scalar
      },
    },
    options,
  )
}
