import * as tf from '@tensorflow/tfjs'
import { runOwnKernel } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'

/** AdamW's constants. */
export interface AdamWOptions {
  /** Decay of the mean and of the mean square of the gradients; [0.9, 0.999] by default. */
  readonly betas?: readonly [number, number]
  /** Added to the root of the mean square; 1e-8 by default. */
  readonly epsilon?: number
  /** Decoupled decay: every step multiplies the weights by `1 - learningRate weightDecay`; 0.01 by default. */
  readonly weightDecay?: number
}

/** What AdamW remembers. Plain data; the tensors belong to the caller. */
export interface AdamWState {
  /** Updates so far. */
  readonly step: number
  /** Running mean of the gradients, one per parameter. */
  readonly mean: NamedParameters
  /** Running mean of the squared gradients, one per parameter. */
  readonly square: NamedParameters
}

/** What {@link adamW} returns; all owned by the caller. */
export interface AdamWUpdate {
  /** The moved weights. */
  readonly parameters: NamedParameters
  /** What to remember. */
  readonly state: AdamWState
}

/** The state before the first update: zeros. Owned by the caller. */
export function adamWState(parameters: NamedParameters): AdamWState {
  const zeros = () => new Map([...parameters].map(([name, tensor]) => [name, tf.zerosLike(tensor)]))
  return { step: 0, mean: zeros(), square: zeros() }
}

/**
 * One update (Loshchilov & Hutter 2019, algorithm 2, as PyTorch computes it):
 *
 * ```text
 * m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
 * θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε)      m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
 * ```
 *
 * @param parameters - borrowed
 * @param gradients - one per parameter, borrowed
 * @param state - borrowed; dispose it once the new one is taken
 * @param learningRate - η of this step
 * @returns new parameters and state, owned by the caller
 */
export function adamW(
  parameters: NamedParameters,
  gradients: NamedParameters,
  state: AdamWState,
  learningRate: number,
  { betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 1e-2 }: AdamWOptions = {},
): AdamWUpdate {
  const step = state.step + 1
  // Both bias corrections fold into scalars: η m̂ / (√v̂ + ε) = η' m / (√v + ε').
  const root = Math.sqrt(1 - beta2 ** step)
  const rate = (learningRate * root) / (1 - beta1 ** step)
  const keep = 1 - learningRate * weightDecay
  const byOperations = (theta: tf.Tensor, g: tf.Tensor, mean: tf.Tensor, square: tf.Tensor) => {
    const m = tf.add(tf.mul(mean, beta1), tf.mul(g, 1 - beta1))
    const v = tf.add(tf.mul(square, beta2), tf.mul(tf.square(g), 1 - beta2))
    const move = tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon * root))
    return [tf.sub(tf.mul(theta, keep), move), m, v]
  }
  const names = [...parameters.keys()]
  const lists = [parameters, gradients, state.mean, state.square].map((all) =>
    names.map((name) => all.get(name)!),
  )
  const [thetas, gs, means, squares] = lists as [tf.Tensor[], tf.Tensor[], tf.Tensor[], tf.Tensor[]]
  const by = tf.tensor1d([beta1, beta2, rate, epsilon * root, keep])
  // All weights, then all means, then all squares.
  const own = runOwnKernel('AdamW', [...lists.flat(), by], { N: names.length })
  by.dispose()
  const updates = thetas.map((theta, i) =>
    own
      ? [own[i]!, own[names.length + i]!, own[2 * names.length + i]!]
      : tf.tidy(() => byOperations(theta, gs[i]!, means[i]!, squares[i]!)),
  )
  const named = (which: number) => new Map(names.map((name, i) => [name, updates[i]![which]!]))
  return { parameters: named(0), state: { step, mean: named(1), square: named(2) } }
}
