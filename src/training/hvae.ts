import * as tf from '@tensorflow/tfjs'
import { NumericError, type TorchRandom } from '../core/index.js'
import { type NamedParameters, parameterTree } from '../nn/index.js'
import {
  type DrawNoise,
  type HvaeConfig,
  type HvaeParameters,
  hvaeElbo,
  hvaeLatentShapes,
  idleParameters,
  toSigned,
} from '../scm/index.js'
import { type FitOptions, fit } from './fit.js'
import type { TrainingState } from './state.js'

/** Pictures and their parents. */
export interface HvaeData {
  /** `[batch, size, size, channels]` in [0, 1] */
  readonly x: tf.Tensor4D
  /** `[batch, context_dim]` */
  readonly parents: tf.Tensor2D
}

/** How an image mechanism is fitted, beside the usual options. */
export interface HvaeFitOptions extends FitOptions {
  /**
   * Weight of the divergence, at every step or by step from 0 on; 1 by default. A weight that starts high and falls
   * has the parents paint what they can before latents take it: counterfactuals then follow the parents.
   */
  readonly beta?: number | ((step: number) => number)
  /** Steps over which the weight rises linearly from zero; 0 by default. */
  readonly betaWarmup?: number
  /** The mechanism's name in errors; `'image'` by default. */
  readonly mechanism?: string
}

/** One step's data with the noise of its latents. */
export interface HvaeBatch {
  /** In [-1, 1]. */
  readonly x: tf.Tensor4D
  /** `[batch, context_dim]` */
  readonly parents: tf.Tensor2D
  /** One per latent, from the coarsest on. */
  readonly noise: tf.Tensor4D[]
  /** The divergence's weight at this step. */
  readonly beta: tf.Scalar
  readonly [key: string]: tf.TensorContainer
}

/** causal-gen's settings for AdamW and for steps that go astray. */
export const hvaeFitDefaults: Pick<FitOptions, 'adamW' | 'clip' | 'skip' | 'warmup' | 'ema'> = {
  adamW: { betas: [0.9, 0.9], weightDecay: 0.1 },
  clip: 350,
  skip: 500,
  warmup: 100,
  ema: 0.999,
}

/**
 * Fits a hierarchical VAE: `−log p(x | z, pa) + β KL(q(z | x, pa) ‖ p(z[ | pa]))`, per channel of a pixel, `z` drawn
 * once from `q` (De Sousa Ribeiro et al. 2023, eq. 7), with causal-gen's settings where none are given.
 *
 * @param initial - by causal-gen's names: of `initialHvae`, or loaded; borrowed
 * @param data - a batch for a step; freed after it
 * @returns the final state, owned by the caller
 * @throws NumericError naming the mechanism when the loss is not finite; the last checkpoint stays good
 * @throws ShapeError on pictures of another size
 */
export async function fitHvae(
  config: HvaeConfig,
  initial: NamedParameters,
  data: (step: number, random: TorchRandom) => HvaeData,
  options: HvaeFitOptions,
): Promise<TrainingState> {
  const { beta = 1, betaWarmup = 0, mechanism = 'image' } = options
  try {
    return await fit<HvaeBatch>(
      initial,
      {
        batch: (step, random) => {
          const { x, parents } = data(step, random)
          const signed = consume(config, x, parents)
          const full = typeof beta === 'number' ? beta : beta(step)
          const weight = betaWarmup > 0 ? full * Math.min(1, (step + 1) / betaWarmup) : full
          const noise = latentNoise(config, signed.shape[0], random)
          return { x: signed, parents, beta: tf.scalar(weight), noise }
        },
        loss: (named, batch) => hvaeLoss(config, named, batch),
      },
      { ...hvaeFitDefaults, ...options },
    )
  } catch (error) {
    if (!(error instanceof NumericError)) throw error
    throw new NumericError({
      rule: `fitting the mechanism ${mechanism} needs a finite loss`,
      got: error.got,
      mend: error.mend,
      cause: error,
    })
  }
}

// The data are freed whether or not they fit.
function consume(config: HvaeConfig, x: tf.Tensor4D, parents: tf.Tensor2D): tf.Tensor4D {
  try {
    return toSigned(config, x, 'fitHvae')
  } catch (error) {
    parents.dispose()
    throw error
  } finally {
    x.dispose()
  }
}

/** Noise for every latent of a batch, from the coarsest on; owned by the caller. */
export function latentNoise(config: HvaeConfig, batch: number, random: TorchRandom): tf.Tensor4D[] {
  return hvaeLatentShapes(config, batch).map((shape) => random.normalTensor<tf.Rank.R4>(shape))
}

/** The negative ELBO of a batch with given noise: a scalar, differentiable in every parameter. */
export function hvaeLoss(config: HvaeConfig, named: NamedParameters, batch: HvaeBatch): tf.Scalar {
  const parameters = parameterTree<HvaeParameters>(named)
  const { nll, kl } = hvaeElbo(parameters, config, batch.x, batch.parents, inOrder(batch.noise))
  return tf.addN([tf.mean(nll), tf.mul(tf.mean(kl), batch.beta), idle(config, named)]) as tf.Scalar
}

/** Hands out prepared noise, one tensor a draw. */
export function inOrder(noise: readonly tf.Tensor4D[]): DrawNoise {
  let next = 0
  return () => noise[next++]!
}

// A gradient is asked of every parameter; those that no output depends on get zero.
function idle(config: HvaeConfig, named: NamedParameters): tf.Scalar {
  const sums = [...idleParameters(config)].map((name) => tf.sum(named.get(name)!))
  return sums.length === 0 ? tf.scalar(0) : (tf.mul(tf.addN(sums), 0) as tf.Scalar)
}
