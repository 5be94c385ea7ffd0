import { expectNumber } from '../../core/index.js'
import { expectProbabilities, expectSameLength } from '../statistics/check.js'

/** How many predictions changed sides. */
export interface Flips {
  /** The share of pictures that did. */
  readonly rate: number
  /** From below the threshold to it or above. */
  readonly toPositive: number
  /** From the threshold or above to below. */
  readonly toNegative: number
  /** One entry per picture: 1, -1, or 0 where nothing flipped. */
  readonly perImage: readonly number[]
  /** Pictures. */
  readonly n: number
}

/**
 * Prediction flips: on which side of the threshold pictures are before and after an edit; `p ≥ threshold` is
 * positive.
 *
 * @param before - probabilities in [0, 1]
 * @param after - parallel
 * @param threshold - the operating point; 0.5
 * @throws ArgumentError on empty or unequal lists, or values that are NaN or outside [0, 1]
 */
export function predictionFlips(before: readonly number[], after: readonly number[], threshold = 0.5): Flips {
  expectProbabilities(before, 'predictionFlips', 'before')
  expectProbabilities(after, 'predictionFlips', 'after')
  expectSameLength(before, after, 'predictionFlips', 'before and after')
  expectNumber(threshold, { min: 0, max: 1 }, 'predictionFlips', 'threshold')
  const perImage = before.map((p, i) => Number(after[i]! >= threshold) - Number(p >= threshold))
  const toPositive = perImage.filter((flip) => flip === 1).length
  const toNegative = perImage.filter((flip) => flip === -1).length
  return {
    rate: (toPositive + toNegative) / perImage.length,
    toPositive,
    toNegative,
    perImage,
    n: perImage.length,
  }
}
