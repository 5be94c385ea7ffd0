import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, expectShape } from '../../core/index.js'
import { abductLatents, counterfactualMediators, type MediatorOptions } from './abduct.js'
import { type Hvae, toSigned } from './hvae.js'
import { abductResidual, pixelsOfLatents, replayResidual } from './predict.js'

/**
 * Which way an intervention reaches the picture: `'direct'` past the latents, `g(z, pa*)`; `'indirect'` through
 * them, `g(z*, pa)`; `'total'` both ways, `g(z*, pa*)`. Exogenous latents have no parents: only `'direct'`.
 */
export type HvaeEffect = 'direct' | 'indirect' | 'total'

/** How a picture's counterfactual is made. */
export interface HvaeCounterfactualOptions extends MediatorOptions {
  /** Defaults to `'total'` with latent mediators, else to `'direct'`, which is then the same. */
  readonly effect?: HvaeEffect
  /**
   * Part of the reconstruction's residual that is played back: 1, the default, keeps what the model could not
   * explain, so that a null intervention is the identity; causal-gen's evaluation takes 0.1, and then 0.9 of the
   * residual shows up as if it were an effect.
   */
  readonly residual?: number
  /** Counterfactuals to average, each with its own abduction; 1 by default. */
  readonly particles?: number
}

/** A counterfactual picture. */
export interface HvaeCounterfactual {
  /** The mean of the particles, `[batch, size, size, channels]` in [0, 1]; owned by the caller. */
  readonly image: tf.Tensor4D
  /** The particles' variance per pixel, zero for a single one; owned by the caller. */
  readonly variance: tf.Tensor4D
}

/**
 * The picture as it would have been with other parents: abduction of latents and residual, action, prediction.
 *
 * ```text
 * z ~ q(z | x, pa)      u = (x − loc(z, pa)) / scale(z, pa)      x* = clamp(loc(z', pa') + t scale(z', pa') u)
 * ```
 *
 * where the effect says whether `z'` and `pa'` are the factual or the counterfactual ones.
 *
 * @param image - `[batch, size, size, channels]` in [0, 1], borrowed
 * @param parents - as observed, `[batch, context_dim]`, borrowed
 * @param others - as intervened upon, `[batch, context_dim]`, borrowed
 * @returns owned by the caller
 * @throws ShapeError on pictures or parents of another size
 * @throws ArgumentError when an indirect effect is asked of exogenous latents
 */
export function hvaeCounterfactual(
  model: Hvae,
  image: tf.Tensor4D,
  parents: tf.Tensor2D,
  others: tf.Tensor2D,
  options: HvaeCounterfactualOptions,
): HvaeCounterfactual {
  const { config } = model
  const { particles = 1, effect = config.cond_prior ? 'total' : 'direct' } = options
  expectNumber(particles, { min: 1, integer: true }, 'hvaeCounterfactual', 'particles')
  for (const each of [parents, others])
    expectShape(each, [image.shape[0], config.context_dim], 'hvaeCounterfactual', 'parents')
  if (effect !== 'direct' && !config.cond_prior) throw noMediator(effect)
  return tf.tidy(() => {
    const x = toSigned(config, image, 'hvaeCounterfactual')
    const made = Array.from({ length: particles }, () =>
      tf.tidy(() => {
        const y = particle(model, x, parents, others, effect, options)
        return tf.div(tf.add(y, 1), 2) as tf.Tensor4D
      }),
    )
    const mean = tf.div<tf.Tensor4D>(tf.addN(made), particles)
    const spread = tf.addN(made.map((each) => tf.square(tf.sub<tf.Tensor4D>(each, mean))))
    return { image: mean, variance: tf.div<tf.Tensor4D>(spread, particles) }
  })
}

/** One counterfactual in [-1, 1], differentiable in the weights: what fine-tuning looks at. */
export function particle(
  model: Hvae,
  x: tf.Tensor4D,
  parents: tf.Tensor2D,
  others: tf.Tensor2D,
  effect: HvaeEffect,
  options: HvaeCounterfactualOptions,
): tf.Tensor4D {
  const levels = abductLatents(model, x, parents, options)
  const latents = levels.map(({ z }) => z)
  const u = abductResidual(x, pixelsOfLatents(model, latents, parents))
  const moved = effect === 'direct' ? latents : counterfactualMediators(model, levels, others, options)
  const pixels = pixelsOfLatents(model, moved, effect === 'indirect' ? parents : others)
  return replayResidual(pixels, u, options.residual)
}

function noMediator(effect: HvaeEffect): ArgumentError {
  return new ArgumentError({
    rule: 'hvaeCounterfactual has an indirect effect only where latents mediate (cond_prior)',
    got: `effect ${effect} of a model with an exogenous prior`,
    mend: "Ask for the 'direct' effect: with exogenous latents it is the total one.",
  })
}
