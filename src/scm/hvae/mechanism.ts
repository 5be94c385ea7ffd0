import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../../core/index.js'
import { type NamedParameters, parameterTree } from '../../nn/index.js'
import { type Exogenous, joinParents, type Mechanism, type Parents, type Value } from '../mechanism.js'
import { abductLatents, counterfactualMediators } from './abduct.js'
import { type HvaeLevel, hvaeDecode } from './decoder.js'
import { hvaeElbo } from './elbo.js'
import type { DrawNoise } from './gaussian.js'
import { type Hvae, hvaeLatentShapes, toSigned } from './hvae.js'
import { hvaePixels } from './likelihood.js'
import type { HvaeParameters } from './parameters.js'
import { abductResidual, pixelsOfLatents, replayResidual } from './predict.js'

type Shape4D = [number, number, number, number]

/** How an image mechanism abducts. */
export interface HvaeMechanismOptions {
  /** Of the latents' posterior: 1 by default, 0 for its means. */
  readonly temperature?: number
  /** Weight of the posterior against the prior, with latent mediators; 0.5 by default. */
  readonly alpha?: number
  /** Part of the residual that prediction plays back; 1 by default, whereby a null intervention is the identity. */
  readonly residual?: number
}

/**
 * The image as a variable of a graph: `x = g(z, pa) + scale(z, pa) u`, with the hierarchical VAE's latents `z` and
 * each pixel's `u` as its exogenous noise. Images are in [0, 1].
 *
 * With latent mediators (`cond_prior`) the noise of `z` is exogenous and `z` itself follows the parents:
 * prediction mixes the picture's posterior with the prior of the parents it is given, and the residual is taken
 * against the same mixture, so that `predict(abduct(x, pa), pa)` is `x` there too.
 *
 * `logProb` is the evidence's lower bound from one draw of zeros, the posterior's means, in nats per picture.
 *
 * @param model - borrowed
 */
export function hvaeMechanism(model: Hvae, options: HvaeMechanismOptions = {}): Mechanism {
  const { config } = model
  const { temperature = 1, alpha = 0.5, residual = 1 } = options
  const { input_res: size, input_channels: channels, context_dim } = config
  const silent: DrawNoise = (shape) => tf.zeros([...shape] as Shape4D)
  const contextOf = (parents: Parents, batch: number) =>
    context_dim === 0 ? (tf.zeros([batch, 0]) as tf.Tensor2D) : joinParents(parents)

  // z for these parents: as abducted, or mixed with their prior. The prior's own path is taken at its means.
  const latentsFor = (levels: readonly HvaeLevel[], pa: tf.Tensor2D): tf.Tensor4D[] =>
    config.cond_prior
      ? counterfactualMediators(model, levels, pa, { draw: silent, alpha })
      : levels.map(({ z }) => z)

  return Object.freeze<Mechanism>({
    name: 'hvae',
    event: [size, size, channels],
    parents: context_dim,
    parameters: model.named,
    domain: `a picture of ${size} × ${size} × ${channels} in [0, 1]`,
    support: (x: Value) => tf.tidy(() => tf.logicalAnd(tf.greaterEqual(x, 0), tf.lessEqual(x, 1))),
    with: (named: NamedParameters) =>
      hvaeMechanism({ config, named, parameters: parameterTree<HvaeParameters>(named) }, options),

    sample: (random: TorchRandom, parents: Parents, batch: number) =>
      tf.tidy(() => {
        const draw = torchNoise(random)
        const { h } = hvaeDecode(model.parameters, config, contextOf(parents, batch), { draw })
        return toUnit(hvaePixels(model.parameters, h).loc)
      }),

    logProb: (x: Value, parents: Parents) =>
      tf.tidy(() => {
        const signed = toSigned(config, x, 'hvae.logProb')
        const pa = contextOf(parents, signed.shape[0])
        const { nll, kl } = hvaeElbo(model.parameters, { ...config, kl_free_bits: 0 }, signed, pa, silent)
        return tf.mul(tf.add(nll, kl), -size * size * channels) as tf.Tensor1D
      }),

    abduct: (x: Value, parents: Parents, random: TorchRandom): Exogenous =>
      tf.tidy(() => {
        const signed = toSigned(config, x, 'hvae.abduct')
        const pa = contextOf(parents, signed.shape[0])
        const levels = abductLatents(model, signed, pa, { draw: torchNoise(random), temperature })
        const u = abductResidual(signed, pixelsOfLatents(model, latentsFor(levels, pa), pa))
        return { ...pack(levels, config.cond_prior), u }
      }),

    predict: (exogenous: Exogenous, parents: Parents) =>
      tf.tidy(() => {
        const { u, ...rest } = exogenous
        const pa = contextOf(parents, u!.shape[0]!)
        const levels = unpack(rest, hvaeLatentShapes(config, 1).length)
        const pixels = pixelsOfLatents(model, latentsFor(levels, pa), pa)
        return toUnit(replayResidual(pixels, u as tf.Tensor4D, residual))
      }),
  })
}

/** Standard normal noise from a generator, in channels-last order. */
export function torchNoise(random: TorchRandom): DrawNoise {
  return (shape) => random.normalTensor<tf.Rank.R4>([...shape] as Shape4D)
}

const toUnit = (x: tf.Tensor4D): tf.Tensor4D => tf.tidy(() => tf.div(tf.add(x, 1), 2))

function pack(levels: readonly HvaeLevel[], mediators: boolean): Exogenous {
  return Object.fromEntries(
    levels.flatMap(({ z, posterior }, i) => [
      [`z${i}`, z],
      ...(mediators
        ? [
            [`loc${i}`, posterior!.loc],
            [`logscale${i}`, posterior!.logscale],
          ]
        : []),
    ]),
  )
}

function unpack(exogenous: Exogenous, count: number): HvaeLevel[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (name: string) => exogenous[`${name}${i}`] as tf.Tensor4D
    const posterior = { loc: at('loc'), logscale: at('logscale') }
    return { z: at('z'), prior: posterior, posterior }
  })
}
