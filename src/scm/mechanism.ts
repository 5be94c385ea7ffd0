import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'

/** One variable's values: `[batch, ...event]`, float32. A number is `[batch, 1]`, a class one-hot `[batch, classes]`. */
export type Value = tf.Tensor

/** The values of a mechanism's parents by name, in the order in which the graph names them. */
export type Parents = Readonly<Record<string, Value>>

/** What abduction infers and prediction consumes: one or more tensors `[batch, ...]` by name. */
export type Exogenous = Readonly<Record<string, tf.Tensor>>

/**
 * One structural equation `x = f(e, parents)` with exogenous noise `e`, and the distribution that it implies.
 *
 * A frozen record of synchronous pure functions: arguments are borrowed, results belong to the caller, every draw
 * comes from the `random` argument. All are differentiable in `x`, `parents` and {@link Mechanism.parameters} where
 * the equation is.
 */
export interface Mechanism {
  /** The family: `'bernoulli'`, `'affine'`, `'hvae'`, … Named in errors. */
  readonly name: string
  /** The shape of one value without its batch axis: `[1]`, `[classes]`, `[height, width, channels]`. */
  readonly event: readonly number[]
  /** Width of the parents joined by {@link joinParents}; 0 for a root, `null` where any parents will do. */
  readonly parents: number | null
  /** The weights, borrowed by the mechanism from whoever made it; empty where there is nothing to learn. */
  readonly parameters: NamedParameters
  /** The values that are possible, in words for an error: `'0 or 1'`. */
  readonly domain: string
  /** True for every element of `x` that is possible: bool, of the shape of `x`. Absent where every finite number is. */
  support?(x: Value): tf.Tensor
  /** One value `[...event]` from a plain number or boolean, where an event has such a form: a class's index. */
  encode?(value: number | boolean): readonly number[]
  /** The same equation with other weights of the same names and shapes: how training passes what it differentiates. */
  with(parameters: NamedParameters): Mechanism
  /** Draws `batch` values given parents. */
  sample(random: TorchRandom, parents: Parents, batch: number): Value
  /** `log p(x | parents)` in nats, `[batch]`; a lower bound where the docstring of the family says so. */
  logProb(x: Value, parents: Parents): tf.Tensor1D
  /** Noise from its posterior given what was seen: `e ~ p(e | x, parents)`. A point for invertible equations. */
  abduct(x: Value, parents: Parents, random: TorchRandom): Exogenous
  /** The structural equation: `x = f(e, parents)`. `predict(abduct(x, pa), pa)` is `x`. */
  predict(exogenous: Exogenous, parents: Parents): Value
}

/**
 * Parents side by side as one matrix, each flattened, in the graph's order.
 *
 * @param parents - borrowed; at least one
 * @returns `[batch, width]`, owned by the caller
 */
export function joinParents(parents: Parents): tf.Tensor2D {
  return tf.tidy(() => {
    const columns = Object.values(parents).map((value) => value.reshape([value.shape[0]!, -1]))
    return (columns.length === 1 ? columns[0]!.clone() : tf.concat(columns, 1)) as tf.Tensor2D
  })
}

/**
 * Standard normal draws.
 *
 * @returns `[batch, ...event]`, owned by the caller
 */
export function drawStandardNormal(random: TorchRandom, batch: number, event: readonly number[]): tf.Tensor {
  const shape = [batch, ...event]
  return random.normalTensor(shape as [number])
}

/**
 * Uniform draws inside (0, 1): the ends, whose logarithms are infinite, are never drawn.
 *
 * @returns `[batch, ...event]`, owned by the caller
 */
export function drawUniform(random: TorchRandom, batch: number, event: readonly number[]): tf.Tensor {
  const shape = [batch, ...event]
  // Torch's float32 uniforms are multiples of 2^-24; half a step up keeps them off 0 and off 1.
  const count = shape.reduce((a, b) => a * b, 1)
  const values = random.uniform(count).map((u) => Math.min(u + 2 ** -25, 1 - 2 ** -24))
  return tf.tensor(values, shape)
}
