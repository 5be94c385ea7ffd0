import { expectNumber } from '../../core/index.js'
import { expectProbabilities, expectSameLength } from '../statistics/check.js'
import type { Flag } from '../statistics/index.js'

/** What happened to a label's prediction. */
export interface PredictionGainInput {
  /** Probabilities of the label before the edit, in [0, 1]; of the reconstruction where there is one. */
  readonly before: readonly number[]
  /** After it, parallel. */
  readonly after: readonly number[]
  /** +1 where the label was to appear, -1 where it was to go: one for all, or one per picture. */
  readonly direction: 1 | -1 | readonly (1 | -1)[]
  /** Probabilities this near to 0 or 1 are moved inside before their logit is taken; 1e-6. */
  readonly epsilon?: number | undefined
}

/** A gain per picture, and its mean. */
export interface Gain {
  /** One value per picture. */
  readonly perImage: readonly number[]
  /** Over pictures. */
  readonly mean: number
}

/** The counterfactual prediction gain in its four forms. */
export interface PredictionGain {
  /** `|p' - p|`, as published. Any change counts, also one the wrong way. */
  readonly unsigned: Gain
  /** `s (p' - p)`: below 0 where the edit went the wrong way. */
  readonly signed: Gain
  /** `|logit p' - logit p|`: comparable where probabilities saturate. */
  readonly unsignedLogit: Gain
  /** `s (logit p' - logit p)`. */
  readonly signedLogit: Gain
  /** Pictures. */
  readonly n: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * Counterfactual prediction gain (CPG): how far an edit moves a classifier's belief in the edited label.
 *
 * @param input - probabilities (not recalibrated by `opNorm`), and which way they should go
 * @throws ArgumentError on empty or unequal lists, or values that are NaN or outside [0, 1]
 * @see Kumar et al. 2025, "PRISM".
 */
export function predictionGain(input: PredictionGainInput): PredictionGain {
  const { before, after, direction, epsilon = 1e-6 } = input
  expectProbabilities(before, 'predictionGain', 'before')
  expectProbabilities(after, 'predictionGain', 'after')
  expectSameLength(before, after, 'predictionGain', 'before and after')
  if (typeof direction !== 'number')
    expectSameLength(direction, before, 'predictionGain', 'direction and before')
  expectNumber(epsilon, { min: Number.MIN_VALUE, max: 0.1 }, 'predictionGain', 'epsilon')

  const sign = (i: number) => (typeof direction === 'number' ? direction : direction[i]!)
  const outside = (p: number) => p < epsilon || p > 1 - epsilon
  const logit = (p: number) => {
    const inside = Math.min(1 - epsilon, Math.max(epsilon, p))
    return Math.log(inside) - Math.log1p(-inside)
  }
  const changes = before.map((p, i) => after[i]! - p)
  const logits = before.map((p, i) => logit(after[i]!) - logit(p))
  return {
    unsigned: gain(changes.map(Math.abs)),
    signed: gain(changes.map((change, i) => sign(i) * change)),
    unsignedLogit: gain(logits.map(Math.abs)),
    signedLogit: gain(logits.map((change, i) => sign(i) * change)),
    n: before.length,
    flags: before.some(outside) || after.some(outside) ? ['clipped-probability'] : [],
  }
}

function gain(perImage: readonly number[]): Gain {
  return { perImage, mean: perImage.reduce((sum, value) => sum + value, 0) / perImage.length }
}
