import * as tf from '@tensorflow/tfjs'
import { conv2d } from '../../nn/index.js'
import { biasStages, type DecoderStage, parseDecoder } from './architecture.js'
import { hvaeBlock } from './block.js'
import type { HvaeActivations } from './encoder.js'
import { type DrawNoise, type Gaussian, sampleGaussian } from './gaussian.js'
import type { HvaeDecoderBlockParameters, HvaeParameters } from './parameters.js'
import { enlarge } from './resample.js'
import type { HvaeConfig } from './settings.js'

/** Where the latents of a top-down pass come from. */
export interface HvaeDecodeOptions {
  /** The encoder's activations: latents are drawn from the posterior. Without them, from the prior. */
  readonly activations?: HvaeActivations
  /** Latents to use as they are, from the coarsest on; where they end, the prior is drawn from. */
  readonly latents?: readonly tf.Tensor4D[]
  /** Where noise comes from. */
  readonly draw: DrawNoise
  /** Multiplies the deviation of every draw; 1 by default, 0 takes the means. */
  readonly temperature?: number
}

/** One stochastic level of a top-down pass. */
export interface HvaeLevel {
  /** The latent that was used, `[batch, r, r, z_dim]`. */
  readonly z: tf.Tensor4D
  /** `p(z | z above[, pa])` */
  readonly prior: Gaussian
  /** `q(z | z above, x, pa)`, where there was an image. */
  readonly posterior?: Gaussian
}

/** A top-down pass. */
export interface HvaeDecoded {
  /** What the likelihood reads: `[batch, size, size, widths[0]]`. */
  readonly h: tf.Tensor4D
  /** From the coarsest on. */
  readonly levels: readonly HvaeLevel[]
}

/**
 * Top-down. At every block, with `h` the stream, `e` the encoder's activation and `pa` the parents at each pixel:
 *
 * ```text
 * p(z), feature = prior(h or the prior's own stream [, pa])
 * q(z)          = posterior(h, pa, e)
 * h ← block(h + feature + proj(z, pa))
 * ```
 *
 * @param parents - `[batch, context_dim]`, borrowed
 * @returns owned by the caller, or by the tidy around the call
 */
export function hvaeDecode(
  { decoder }: HvaeParameters,
  config: HvaeConfig,
  parents: tf.Tensor2D,
  { activations, latents = [], draw, temperature }: HvaeDecodeOptions,
): HvaeDecoded {
  const [batch] = parents.shape
  const bias = new Map(
    biasStages(config).map(([r, width], i) => [
      r,
      tf.reshape<tf.Rank.R4>(decoder.bias[i]!, [1, r, r, width]),
    ]),
  )
  const rise = (x: tf.Tensor4D, size: number): tf.Tensor4D => {
    if (x.shape[1] >= size) return x
    const larger = enlarge(x, size)
    return bias.has(size) ? tf.add(larger, bias.get(size)!) : larger
  }
  let h = tf.tile(bias.get(1)!, [batch, 1, 1, 1])
  // What the next prior sees where it must not see the posterior: a stream of prior latents alone.
  let apart = h
  const levels: HvaeLevel[] = []
  for (const [i, stage] of parseDecoder(config).entries()) {
    const block = decoder.blocks[i]!
    const { resolution, stochastic } = stage
    const pa = tileParents(parents, resolution)
    h = rise(h, resolution)
    const above = config.q_correction ? h : rise(apart, resolution)
    const { prior, feature } = priorOf(block, config, above, pa)
    let z = prior.loc
    if (stochastic) {
      const posterior = activations && posteriorOf(block, config, stage, h, pa, activations)
      z = latents[levels.length] ?? sampleGaussian(posterior ?? prior, draw, temperature)
      levels.push({ z, prior, ...(posterior && { posterior }) })
    }
    h = tf.add(tf.add(h, feature), conv2d(block.z_proj, tf.concat4d([z, pa], 3)))
    h = hvaeBlock(block.conv, config, h)
    const last = i === decoder.blocks.length - 1
    if (!config.q_correction && !last) apart = conv2d(block.z_feat_proj!, tf.concat4d([z, feature], 3))
  }
  return { h, levels }
}

function priorOf(
  { prior }: HvaeDecoderBlockParameters,
  config: HvaeConfig,
  above: tf.Tensor4D,
  pa: tf.Tensor4D,
): { prior: Gaussian; feature: tf.Tensor4D } {
  const seen = config.cond_prior ? tf.concat4d([above, pa], 3) : above
  const out = hvaeBlock(prior, config, seen, { residual: false })
  const { z_dim } = config
  const [loc, logscale, feature] = tf.split(out, [z_dim, z_dim, out.shape[3] - 2 * z_dim], 3) as tf.Tensor4D[]
  return { prior: { loc: loc!, logscale: logscale! }, feature: feature! }
}

function posteriorOf(
  { posterior }: HvaeDecoderBlockParameters,
  config: HvaeConfig,
  { resolution }: DecoderStage,
  h: tf.Tensor4D,
  pa: tf.Tensor4D,
  activations: HvaeActivations,
): Gaussian {
  const seen = tf.concat4d([h, pa, activations.get(resolution)!], 3)
  const [loc, logscale] = tf.split(hvaeBlock(posterior!, config, seen, { residual: false }), 2, 3)
  return { loc: loc as tf.Tensor4D, logscale: logscale as tf.Tensor4D }
}

function tileParents(parents: tf.Tensor2D, size: number): tf.Tensor4D {
  const [batch, width] = parents.shape
  return tf.tile(tf.reshape<tf.Rank.R4>(parents, [batch, 1, 1, width]), [1, size, size, 1])
}
