import type { Tensor4D } from '@tensorflow/tfjs'
import { expectShape } from '../../core/index.js'
import {
  type BinaryEffectiveness,
  binaryEffectiveness,
  type Classifier,
  column,
  type NumericEffectiveness,
  numericEffectiveness,
} from '../classifier/index.js'
import type { Edit } from './distance.js'

/** What was asked for, and who reads whether it came. */
export interface EffectivenessAxiom<Value extends boolean | number> {
  /** f(x, pa, pa*): sets the attribute; its result is freed here. */
  readonly edit: Edit
  /** P: reads the edited pictures; probabilities for booleans, the attribute's unit for numbers. */
  readonly predict: Classifier
  /** pa*: what was asked for, one value per picture. */
  readonly intended: readonly Value[]
  /** The column of the attribute in the predictions; 0. */
  readonly label?: number | undefined
}

/**
 * Effectiveness: what was set must be seen, `d(P(f(x, pa, pa*)), pa*)`: AUC, accuracy and F1 of a boolean, the mean
 * absolute error of a number.
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param axiom - the edit, the predictor, and what was asked for
 * @throws ArgumentError on another number of intended values than pictures, or predictions outside their range
 * @throws ShapeError when the edit returns another shape
 * @see Monteiro et al. 2023.
 */
export function effectiveness(
  images: Tensor4D,
  axiom: EffectivenessAxiom<boolean>,
): Promise<BinaryEffectiveness>
export function effectiveness(
  images: Tensor4D,
  axiom: EffectivenessAxiom<number>,
): Promise<NumericEffectiveness>
export async function effectiveness(
  images: Tensor4D,
  { edit, predict, intended, label = 0 }: EffectivenessAxiom<boolean> | EffectivenessAxiom<number>,
): Promise<BinaryEffectiveness | NumericEffectiveness> {
  const edited = await edit(images)
  try {
    expectShape(edited, images.shape, 'effectiveness', 'the edited pictures')
    const predicted = column(await predict(edited), label)
    return typeof intended[0] === 'boolean'
      ? binaryEffectiveness(predicted, intended as readonly boolean[])
      : numericEffectiveness(predicted, intended as readonly number[])
  } finally {
    if (edited !== images) edited.dispose()
  }
}
