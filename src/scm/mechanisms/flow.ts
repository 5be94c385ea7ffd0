import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber } from '../../core/index.js'
import type { NamedParameters } from '../../nn/index.js'
import { type ConditionerOptions, conditioner, type Heads, type HeadValues } from '../conditioner.js'
import { drawStandardNormal, type Mechanism, type Parents } from '../mechanism.js'
import { logStandardNormal } from './numerics.js'

/** A value carried through a monotone function, and the logarithm of the derivative there, element by element. */
export interface Transformed {
  /** `[batch, size]` */
  readonly value: tf.Tensor
  /** `log |d value / d input|`, broadcastable to `[batch, size]` */
  readonly logDerivative: tf.Tensor
}

/** A monotone function of each element, its shape given by quantities that may depend on the parents. */
export interface Transform<H extends Heads = Heads> {
  /** The family, named in errors. */
  readonly name: string
  /** The quantities that give the function its shape, for values of `size` elements. */
  heads(size: number): H
  /** From noise to value; called in a tidy. */
  forward(heads: HeadValues<H>, e: tf.Tensor): Transformed
  /** From value to noise; called in a tidy. */
  inverse(heads: HeadValues<H>, x: tf.Tensor): Transformed
}

/** Options shared by all flows. */
export interface FlowOptions extends ConditionerOptions {
  /** Numbers per value; 1. */
  readonly size?: number
}

/**
 * An invertible equation: standard normal noise through monotone functions, one after the other.
 *
 * ```text
 * x = T_n(… T_1(e))     e ~ N(0, 1),  T_i shaped by the parents
 * log p(x | parents) = log N(e; 0, 1) + Σ_i log |d T_i⁻¹|
 * ```
 *
 * Abduction is exact: `e = T⁻¹(x)`, a point. A value is `[batch, size]`.
 *
 * ```ts
 * const age = flow([linearRationalSplineTransform(), affineTransform()])
 * ```
 *
 * Weights are named as in {@link conditioner}; with several transforms, after the transform's number: `0.widths`.
 *
 * @param transforms - applied to the noise from first to last
 * @param options - size, and how the shapes depend on the parents
 * @throws ArgumentError without a transform
 */
export function flow(transforms: readonly Transform[], options: FlowOptions = {}): Mechanism {
  const { size = 1 } = options
  expectNumber(size, { integer: true, min: 1 }, 'flow', 'size')
  if (transforms.length === 0) {
    throw new ArgumentError({
      rule: 'flow needs at least one transform',
      got: 'none',
      mend: 'Pass [affineTransform()] for a linear Gaussian.',
    })
  }
  const steps = transforms.map((transform, i) => {
    const seed = (options.seed ?? 0) + i
    const prefix = transforms.length > 1 ? `${i}.` : ''
    return { transform, net: conditioner(transform.heads(size), { ...options, seed }, prefix) }
  })
  const parameters: NamedParameters =
    options.parameters ?? new Map(steps.flatMap(({ net }) => [...net.parameters]))

  const forward = (e: tf.Tensor, parents: Parents) =>
    steps.reduce((y, { transform, net }) => transform.forward(net.apply(parameters, parents), y).value, e)

  const inverse = (x: tf.Tensor, parents: Parents): Transformed =>
    steps.reduceRight<Transformed>(
      (y, { transform, net }) => {
        const step = transform.inverse(net.apply(parameters, parents), y.value)
        return { value: step.value, logDerivative: y.logDerivative.add(step.logDerivative) }
      },
      { value: x, logDerivative: tf.zerosLike(x) },
    )

  return Object.freeze<Mechanism>({
    name: transforms.map(({ name }) => name).join(' + '),
    event: [size],
    parents: steps[0]!.net.parents,
    parameters,
    domain: 'any finite number',
    with: (weights) => flow(transforms, { ...options, parameters: weights }),
    sample: (random, parents, batch) =>
      tf.tidy(() => forward(drawStandardNormal(random, batch, [size]), parents)),
    logProb: (x, parents) =>
      tf.tidy(() => {
        const { value: e, logDerivative } = inverse(x, parents)
        return logStandardNormal(e).add(logDerivative).sum<tf.Tensor1D>(-1)
      }),
    abduct: (x, parents) => tf.tidy(() => ({ e: inverse(x, parents).value })),
    predict: ({ e }, parents) => tf.tidy(() => forward(e!, parents)),
  })
}
