import * as tf from '@tensorflow/tfjs'
import type { Mechanism } from '../mechanism.js'
import { type FlowOptions, flow, type Transform } from './flow.js'
import { asHeads } from './numerics.js'

const heads = (size: number) =>
  asHeads({ location: { shape: [size], initial: 0 }, logScale: { shape: [size], initial: 0 } })

/**
 * `x = location + exp(logScale) e`.
 *
 * @returns a transform for {@link flow}
 */
export function affineTransform(): Transform {
  const transform: Transform<ReturnType<typeof heads>> = {
    name: 'affine',
    heads,
    forward: ({ location, logScale }, e) => ({
      value: tf.add(location, logScale.exp().mul(e)),
      logDerivative: logScale,
    }),
    inverse: ({ location, logScale }, x) => ({
      value: tf.sub(x, location).div(logScale.exp()),
      logDerivative: logScale.neg(),
    }),
  }
  return transform
}

/**
 * The additive-noise equation, Gaussian given the parents:
 *
 * ```text
 * x = μ(parents) + σ(parents) e     e ~ N(0, 1)
 * ```
 *
 * Without hidden layers μ and log σ are linear in the parents. A value is `[batch, size]`; weights `location` and
 * `logScale`, or `net.*` with parents.
 *
 * ```ts
 * const volume = affine({ parents: 2 })
 * ```
 *
 * @param options - size, and how μ and σ depend on the parents
 * @throws ArgumentError on widths that are not whole numbers, or weights of other names
 */
export const affine = (options: FlowOptions = {}): Mechanism => flow([affineTransform()], options)
