import * as tf from '@tensorflow/tfjs'
import { type HvaeLevel, hvaeDecode } from './decoder.js'
import { hvaeEncode } from './encoder.js'
import type { DrawNoise } from './gaussian.js'
import type { Hvae } from './hvae.js'

/** How latents are abducted. */
export interface HvaeAbductOptions {
  /** Where noise comes from. */
  readonly draw: DrawNoise
  /** Multiplies the posterior's deviation: 1 is soft abduction and the default, 0 is hard, the posterior's means. */
  readonly temperature?: number
}

/**
 * Abduction of the latents: `z ~ q(z | x, pa)`, with the Gaussians that they were drawn from.
 *
 * @param x - `[batch, size, size, channels]` in [-1, 1] ({@link toSigned}), borrowed
 * @param parents - `[batch, context_dim]` of the picture as it is, borrowed
 * @returns from the coarsest level on; owned by the caller, or by the tidy around the call
 */
export function abductLatents(
  { parameters, config }: Hvae,
  x: tf.Tensor4D,
  parents: tf.Tensor2D,
  { draw, temperature }: HvaeAbductOptions,
): readonly HvaeLevel[] {
  const activations = hvaeEncode(parameters, config, x)
  return hvaeDecode(parameters, config, parents, {
    activations,
    draw,
    ...(temperature !== undefined && { temperature }),
  }).levels
}

/** How a mediator is carried over to other parents. */
export interface MediatorOptions extends HvaeAbductOptions {
  /** Weight of the picture's own posterior against the prior of the other parents; 0.5 by default. */
  readonly alpha?: number
  /**
   * `'causal-gen-2023'` multiplies by the temperature twice: once inside both deviations, once over the mixture.
   * By default it counts once. At temperature 1 they are the same.
   */
  readonly dialect?: 'causal-gen-2023'
}

/**
 * The mediators under other parents (De Sousa Ribeiro et al. 2023, § 3.3): at each level, the noise that made `z`
 * is played into a mixture of the picture's posterior and the other parents' prior,
 *
 * ```text
 * u  = (z − μ_q) / σ_q
 * μ* = α μ_q + (1 − α) μ_p*          σ*² = α² σ_q² + (1 − α)² σ_p*²
 * z* = μ* + t σ* u
 * ```
 *
 * @param levels - of {@link abductLatents} at the same temperature; borrowed
 * @param parents - the other parents, `[batch, context_dim]`, borrowed
 * @returns one `z*` per level; owned by the caller, or by the tidy around the call
 */
export function counterfactualMediators(
  { parameters, config }: Hvae,
  levels: readonly HvaeLevel[],
  parents: tf.Tensor2D,
  { draw, temperature = 1, alpha = 0.5, dialect }: MediatorOptions,
): tf.Tensor4D[] {
  const elsewhere = hvaeDecode(parameters, config, parents, { draw, temperature })
  return levels.map(({ z, posterior: q }, i) => {
    const { prior: p } = elsewhere.levels[i]!
    const loc = tf.add(tf.mul(q!.loc, alpha), tf.mul(p.loc, 1 - alpha))
    // At temperature 0 there was no draw: z is the mean, and the quotient below would be 0 / 0.
    if (temperature === 0) return loc as tf.Tensor4D
    const u = tf.div(tf.sub(z, q!.loc), tf.mul(tf.exp(q!.logscale), temperature))
    const variance = tf.add(
      tf.mul(tf.exp(tf.mul(q!.logscale, 2)), alpha ** 2),
      tf.mul(tf.exp(tf.mul(p.logscale, 2)), (1 - alpha) ** 2),
    )
    const t = dialect === 'causal-gen-2023' ? temperature ** 2 : temperature
    return tf.add(loc, tf.mul(tf.mul(tf.sqrt(variance), t), u)) as tf.Tensor4D
  })
}
