import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  type AttentionControl,
  type Denoiser,
  expectNumber,
  expectShape,
  joinContexts,
} from '../core/index.js'
import { rescaleGuidance } from './rescale.js'

/**
 * Classifier-free guidance: moves from the unconditional prediction through the conditional one and beyond.
 *
 * `unconditional + scale · (conditional − unconditional)`
 *
 * Linear, so it may be applied to noise, v or sample predictions alike. Differentiable in both.
 *
 * @param unconditional - the prediction for the empty (or negative) prompt; borrowed
 * @param conditional - the prediction for the prompt, of the same shape; borrowed
 * @param scale - 0 is unconditional, 1 is conditional, above 1 exaggerates the prompt
 * @returns a new tensor of the same shape, owned by the caller
 * @throws ArgumentError when `scale` is not finite
 * @throws ShapeError when the shapes differ
 * @see Ho and Salimans 2022, equation 6, in the form `s = 1 + w`.
 */
export function classifierFree<T extends Tensor>(unconditional: T, conditional: T, scale: number): T {
  expectNumber(scale, {}, 'classifierFree', 'scale')
  expectShape(conditional, unconditional.shape, 'classifierFree', 'conditional')
  return tf.tidy(() => unconditional.add(conditional.sub(unconditional).mul(scale)) as T)
}

/** The two prompts between which guidance extrapolates. */
export interface GuidancePair {
  /** Embedding of the empty or negative prompt, `[1, tokens, width]` or one per row. */
  readonly unconditional: Tensor3D
  /** Embedding of the prompt, `[1, tokens, width]` or one per row. */
  readonly conditional: Tensor3D
}

/** What else {@link guidedNoise} can do on the way. */
export interface GuidedNoiseOptions {
  /** The factor of {@link rescaleGuidance}; 0, which is none. */
  readonly rescale?: number | undefined
  /** Sees maps of `2 · batch` rows, the conditional half last. */
  readonly attention?: AttentionControl | undefined
}

/**
 * One guided prediction from one call of the network on a batch of two halves: unconditional, then conditional.
 *
 * @param denoise - the network
 * @param x - noisy latents `[batch, height, width, channels]`, scaled as the network expects; borrowed
 * @param timestep - the timestep of all rows
 * @param prompts - the two embeddings; borrowed
 * @param scale - see {@link classifierFree}
 * @param options - rescaling and attention control
 * @returns `[batch, height, width, channels]`, owned by the caller
 * @throws ArgumentError when `scale` is not finite
 */
export function guidedNoise(
  denoise: Denoiser,
  x: Tensor4D,
  timestep: number,
  prompts: GuidancePair,
  scale: number,
  { rescale = 0, attention }: GuidedNoiseOptions = {},
): Tensor4D {
  expectNumber(scale, {}, 'guidedNoise', 'scale')
  return tf.tidy(() => {
    const [rows] = x.shape
    const context = joinContexts([
      ...perRow(prompts.unconditional, rows),
      ...perRow(prompts.conditional, rows),
    ])
    const both = denoise(tf.concat([x, x]), timestep, context, attention)
    const [unconditional, conditional] = tf.split(both, 2) as [Tensor4D, Tensor4D]
    const guided = classifierFree(unconditional, conditional, scale)
    return rescale === 0 ? guided : rescaleGuidance(guided, conditional, rescale)
  })
}

const perRow = (embedding: Tensor3D, rows: number): Tensor3D[] =>
  embedding.shape[0] === rows ? [embedding] : new Array<Tensor3D>(rows).fill(embedding)
