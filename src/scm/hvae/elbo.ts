import * as tf from '@tensorflow/tfjs'
import { type HvaeLevel, hvaeDecode } from './decoder.js'
import { hvaeEncode } from './encoder.js'
import { type DrawNoise, gaussianKl } from './gaussian.js'
import { hvaeNll } from './likelihood.js'
import type { HvaeParameters } from './parameters.js'
import type { HvaeConfig } from './settings.js'

/** The two terms of a negative ELBO, in nats per channel of a pixel; owned by the caller, or by the tidy around. */
export interface HvaeElbo {
  /** `[batch]` */
  readonly nll: tf.Tensor1D
  /** `[batch]`; with free bits, the same for every picture of the batch. */
  readonly kl: tf.Tensor1D
}

/**
 * `−log p(x | z, pa)` with `z` drawn once from the posterior, and `KL(q(z | x, pa) ‖ p(z[ | pa]))`.
 *
 * Free bits (Kingma et al. 2016, eq. 15): `Σ max(λ, KL of one latent channel, summed over places, averaged over
 * the batch)`, so that a channel below `λ` nats is left in peace.
 *
 * @param x - `[batch, size, size, channels]` in [-1, 1], borrowed
 * @param parents - `[batch, context_dim]`, borrowed
 */
export function hvaeElbo(
  parameters: HvaeParameters,
  config: HvaeConfig,
  x: tf.Tensor4D,
  parents: tf.Tensor2D,
  draw: DrawNoise,
): HvaeElbo {
  const activations = hvaeEncode(parameters, config, x)
  const { h, levels } = hvaeDecode(parameters, config, parents, { activations, draw })
  const [batch, ...event] = x.shape
  const kl = config.kl_free_bits > 0 ? freeBits(levels, config.kl_free_bits, batch) : divergence(levels)
  return {
    nll: hvaeNll(parameters, h, x),
    kl: tf.div(
      kl,
      event.reduce((a, b) => a * b, 1),
    ),
  }
}

function divergence(levels: readonly HvaeLevel[]): tf.Tensor1D {
  return tf.addN(
    levels.map(({ posterior, prior }) => tf.sum<tf.Tensor1D>(gaussianKl(posterior!, prior), [1, 2, 3])),
  )
}

function freeBits(levels: readonly HvaeLevel[], least: number, batch: number): tf.Tensor1D {
  const total = tf.addN(
    levels.map(({ posterior, prior }) => {
      const channels = tf.mean(tf.sum(gaussianKl(posterior!, prior), [1, 2]), 0)
      return tf.sum(tf.maximum(channels, least))
    }),
  )
  return tf.tile(tf.reshape<tf.Rank.R1>(total, [1]), [batch])
}
