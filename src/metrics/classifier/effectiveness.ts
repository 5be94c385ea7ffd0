import { expectNumber } from '../../core/index.js'
import { expectFinite, expectProbabilities, expectSameLength } from '../statistics/check.js'
import { delongAuc, type Flag, type Interval } from '../statistics/index.js'
import { column, type Predictions } from './classifier.js'

/** How well a label that was asked for is seen in the edited pictures. */
export interface BinaryEffectiveness {
  /** Of the probabilities against what was asked for; NaN where all were asked for the same. */
  readonly auc: number
  /** DeLong's, of independent pictures; resample patients where they have several. */
  readonly aucInterval: Interval
  /** The share on the right side of the threshold. */
  readonly accuracy: number
  /** `2 TP / (2 TP + FP + FN)`; NaN where nothing is positive, neither asked for nor predicted. */
  readonly f1: number
  /** Pictures. */
  readonly n: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * Effectiveness of a binary attribute: the prediction on the edited picture against the intended value.
 *
 * @param probabilities - of the attribute, in [0, 1], by a classifier that the generator never saw
 * @param intended - what was asked for, parallel
 * @param threshold - `p ≥ threshold` counts as present; 0.5
 * @throws ArgumentError on empty or unequal lists, or values that are NaN or outside [0, 1]
 * @see Monteiro et al. 2023.
 */
export function binaryEffectiveness(
  probabilities: readonly number[],
  intended: readonly boolean[],
  threshold = 0.5,
): BinaryEffectiveness {
  expectProbabilities(probabilities, 'binaryEffectiveness', 'probabilities')
  expectNumber(threshold, { min: 0, max: 1 }, 'binaryEffectiveness', 'threshold')
  const { auc, interval, flags } = delongAuc(probabilities, intended)
  const count = (predicted: boolean, asked: boolean) =>
    probabilities.filter((p, i) => p >= threshold === predicted && intended[i] === asked).length
  const [hits, misses, false1] = [count(true, true), count(false, true), count(true, false)]
  const n = probabilities.length
  return {
    auc,
    aucInterval: interval,
    accuracy: (hits + count(false, false)) / n,
    f1: (2 * hits) / (2 * hits + misses + false1),
    n,
    flags,
  }
}

/** How well one of several classes that was asked for is seen. */
export interface ClassEffectiveness {
  /** The mean of the one-vs-rest areas of the classes that were asked for; NaN with one. */
  readonly macroAuc: number
  /** The share whose most probable class is the one asked for. */
  readonly accuracy: number
  /** Pictures. */
  readonly n: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * Effectiveness of an attribute with several values (race, view).
 *
 * @param probabilities - one row per picture, one column per class
 * @param intended - the index of the class asked for, parallel
 * @throws ArgumentError on empty or unequal lists, or an index without a column
 */
export function classEffectiveness(
  probabilities: Predictions,
  intended: readonly number[],
): ClassEffectiveness {
  const where = 'classEffectiveness'
  expectFinite(intended, where, 'intended')
  expectSameLength(probabilities, intended, where, 'probabilities and intended')
  for (const [i, row] of probabilities.entries()) {
    expectProbabilities(row, where, `probabilities[${i}]`)
    expectSameLength(row, probabilities[0]!, where, 'the columns of rows')
    expectNumber(intended[i]!, { min: 0, max: row.length - 1, integer: true }, where, `intended[${i}]`)
  }
  const classes = [...new Set(intended)]
  const areas = classes.map(
    (label) =>
      delongAuc(
        column(probabilities, label),
        intended.map((asked) => asked === label),
      ).auc,
  )
  const best = (row: readonly number[]) => row.indexOf(Math.max(...row))
  const right = probabilities.filter((row, i) => best(row) === intended[i]).length
  return {
    macroAuc: areas.reduce((sum, area) => sum + area, 0) / areas.length,
    accuracy: right / intended.length,
    n: intended.length,
    flags: classes.length === 1 ? ['one-class'] : [],
  }
}

/** How far a number that was asked for is missed. */
export interface NumericEffectiveness {
  /** `mean |predicted - intended|`, in the attribute's unit. */
  readonly mae: number
  /** One error per picture. */
  readonly perImage: readonly number[]
  /** Pictures. */
  readonly n: number
}

/**
 * Effectiveness of a numeric attribute (age in years): the mean absolute error.
 *
 * @param predicted - on the edited pictures, finite
 * @param intended - what was asked for, parallel
 * @throws ArgumentError on empty, unequal or not finite lists
 */
export function numericEffectiveness(
  predicted: readonly number[],
  intended: readonly number[],
): NumericEffectiveness {
  expectFinite(predicted, 'numericEffectiveness', 'predicted')
  expectFinite(intended, 'numericEffectiveness', 'intended')
  expectSameLength(predicted, intended, 'numericEffectiveness', 'predicted and intended')
  const perImage = predicted.map((value, i) => Math.abs(value - intended[i]!))
  return {
    mae: perImage.reduce((sum, error) => sum + error, 0) / perImage.length,
    perImage,
    n: perImage.length,
  }
}
