import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'

/** One row per picture, one number per label. */
export type Predictions = readonly (readonly number[])[]

/**
 * Anything that reads pictures: `(images) => predictions`, images `[batch, height, width, channels]` in [0, 1],
 * borrowed. Whether the numbers are probabilities, logits or years is the caller's to know.
 */
export type Classifier = (images: Tensor4D) => Predictions | Promise<Predictions>

/** A classifier that owns weights. */
export interface LoadedClassifier {
  /** The classifier itself. */
  readonly predict: Classifier
  /** Frees what was loaded. Idempotent. */
  dispose(): Promise<void>
}

/**
 * One label's column.
 *
 * @param predictions - one row per picture
 * @param label - the column's index
 * @throws ArgumentError when a row has no such column
 */
export function column(predictions: Predictions, label: number): number[] {
  return predictions.map((row, picture) => {
    const value = row[label]
    if (value !== undefined) return value
    throw new ArgumentError({
      rule: 'column needs the label in every row',
      got: `label ${label} of ${row.length} at picture ${picture}`,
      mend: 'Count labels from 0.',
    })
  })
}

/** Splits a flat output into rows, and refuses another size than the batch. @internal */
export function rowsOf(data: ArrayLike<number>, batch: number, where: string): number[][] {
  const width = data.length / batch
  if (!Number.isInteger(width) || width === 0) {
    throw new ArgumentError({
      rule: `${where} needs an output with one row per picture`,
      got: `${data.length} numbers for ${batch} pictures`,
      mend: 'Name the output that holds the predictions.',
    })
  }
  return Array.from({ length: batch }, (_, i) =>
    Array.from({ length: width }, (_, j) => data[i * width + j]!),
  )
}
