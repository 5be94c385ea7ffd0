import * as tf from '@tensorflow/tfjs'
import type { Mechanism, Parents, Value } from '../mechanism.js'

/** Options of {@link deterministic}. */
export interface DeterministicOptions {
  /** Shape of one value; `[1]`. */
  readonly event?: readonly number[]
  /** Largest difference at which an observation still equals the function; 1e-5. */
  readonly tolerance?: number
}

/**
 * A function of the parents and nothing else: `x = f(parents)`.
 *
 * Its noise is empty and its log-probability 0 where `x` agrees with `f(parents)`, else -Infinity.
 *
 * ```ts
 * const bmi = deterministic(({ weight, height }) => tf.div(weight!, tf.square(height!)))
 * ```
 *
 * @param f - parents by name to values `[batch, ...event]` (or `[1, ...event]` for a constant); called in a tidy
 * @param options - shape and tolerance
 */
export function deterministic(
  f: (parents: Parents) => Value,
  { event = [1], tolerance = 1e-5 }: DeterministicOptions = {},
): Mechanism {
  const mechanism: Mechanism = Object.freeze<Mechanism>({
    name: 'deterministic',
    event,
    parents: null,
    parameters: new Map(),
    domain: `the function of its parents, within ${tolerance}`,
    with: () => mechanism,
    sample: (_random, parents, batch) => tf.tidy(() => tf.add(tf.zeros([batch, ...event]), f(parents))),
    logProb: (x, parents) =>
      tf.tidy(() => {
        const axes = event.map((_, axis) => axis + 1)
        const agrees = x.sub(f(parents)).abs().max(axes).lessEqual(tolerance)
        const zeros = tf.zerosLike(agrees.cast('float32'))
        return tf.where(agrees, zeros, zeros.sub(Number.POSITIVE_INFINITY)) as tf.Tensor1D
      }),
    // Nothing is random; a tensor of nothing carries the batch's size.
    abduct: (x) => ({ none: tf.zeros([x.shape[0]!, 0]) }),
    predict: ({ none }, parents) => tf.tidy(() => tf.add(tf.zeros([none!.shape[0]!, ...event]), f(parents))),
  })
  return mechanism
}
