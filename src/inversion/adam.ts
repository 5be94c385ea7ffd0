import type { Tensor } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'

/** One tensor being optimised, and what Adam remembers of it. Plain data, owned by whoever holds it. */
export interface AdamState<T extends Tensor> {
  /** The tensor itself. */
  readonly parameter: T
  /** Running mean of the gradient. */
  readonly mean: T
  /** Running mean of the squared gradient. */
  readonly square: T
  /** Updates so far. */
  readonly count: number
}

/** A fresh state around a copy of `parameter`. */
export function adamStart<T extends Tensor>(parameter: T): AdamState<T> {
  return tf.tidy(() => ({
    parameter: parameter.clone(),
    mean: tf.zerosLike(parameter),
    square: tf.zerosLike(parameter),
    count: 0,
  }))
}

/**
 * One update with bias correction: `p − rate · m̂ / (√v̂ + 10⁻⁸)`.
 *
 * @param state - borrowed
 * @param gradient - of the loss by the parameter; borrowed
 * @param rate - the learning rate
 * @returns a new state with tensors of its own
 * @see Kingma and Ba 2015, algorithm 1, with its default constants.
 */
export function adamStep<T extends Tensor>(state: AdamState<T>, gradient: T, rate: number): AdamState<T> {
  const [decay1, decay2, epsilon] = [0.9, 0.999, 1e-8]
  const count = state.count + 1
  return tf.tidy(() => {
    const mean = state.mean.mul(decay1).add(gradient.mul(1 - decay1)) as T
    const square = state.square.mul(decay2).add(gradient.square().mul(1 - decay2)) as T
    const spread = square
      .div(1 - decay2 ** count)
      .sqrt()
      .add(epsilon)
    const update = mean.div(spread).mul(rate / (1 - decay1 ** count))
    return { parameter: state.parameter.sub(update) as T, mean, square, count }
  })
}

/** Frees the tensors of a state. Idempotent. */
export function disposeAdam({ parameter, mean, square }: AdamState<Tensor>): void {
  tf.dispose([parameter, mean, square])
}
