import * as tf from '@tensorflow/tfjs'
import { runOwnKernel, valueAndGradients } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'

/** A loss and the gradients of every parameter. All tensors are owned by the caller. */
export interface LossAndGradients {
  /** The scalar. */
  readonly loss: tf.Scalar
  /** One gradient per parameter. */
  readonly gradients: NamedParameters
}

/**
 * Differentiates a loss by every named parameter.
 *
 * @param parameters - borrowed
 * @param loss - receives the same names; returns a scalar that depends on every one of them
 */
export function differentiate(
  parameters: NamedParameters,
  loss: (parameters: NamedParameters) => tf.Scalar,
): LossAndGradients {
  const names = [...parameters.keys()]
  const { value, gradients } = valueAndGradients(
    (...tensors) => loss(new Map(tensors.map((tensor, i) => [names[i]!, tensor]))),
    [...parameters.values()],
  )
  return { loss: value, gradients: new Map(names.map((name, i) => [name, gradients[i]!])) }
}

/**
 * The norm of all gradients taken as one vector.
 *
 * @returns a scalar, owned by the caller
 */
export function globalNorm(gradients: NamedParameters): tf.Scalar {
  const all = [...gradients.values()]
  const [own] = runOwnKernel('GlobalNorm', all, { N: all.length }) ?? []
  if (own) return own as tf.Scalar
  return tf.tidy(() => tf.sqrt(tf.addN(all.map((g) => tf.sum(tf.square(g)))))) as tf.Scalar
}

/**
 * Scales all gradients by one factor so that their {@link globalNorm} is at most `limit` (Pascanu et al. 2013,
 * algorithm 1, as PyTorch computes it).
 *
 * @param gradients - borrowed
 * @param norm - their global norm
 * @returns new tensors, owned by the caller
 */
export function clipByNorm(gradients: NamedParameters, norm: number, limit: number): NamedParameters {
  const factor = Math.min(1, limit / (norm + 1e-6))
  return new Map([...gradients].map(([name, g]) => [name, factor === 1 ? g.clone() : tf.mul(g, factor)]))
}
