import * as tf from '@tensorflow/tfjs'
import { expectNumber, expectShape, formatShape, ShapeError } from '../core/index.js'

/**
 * Where and how an edit changed a picture: `mean over channels of (edited − original)`.
 * Positive where the edit made it brighter, negative where darker.
 *
 * @param original - `[1, height, width, channels]` in [0, 1]; borrowed
 * @param edited - of the same shape; borrowed
 * @returns `[height, width]` in [−1, 1], owned by the caller
 * @throws `ShapeError` when the shapes differ
 */
export function differenceMap(original: tf.Tensor4D, edited: tf.Tensor4D): tf.Tensor2D {
  expectShape(original, [1, null, null, null], 'differenceMap', 'original')
  if (formatShape(original.shape) !== formatShape(edited.shape)) {
    throw new ShapeError({
      rule: `differenceMap needs two pictures of one shape, here ${formatShape(original.shape)}`,
      got: formatShape(edited.shape),
      mend: 'Bring the edited picture to the size of the original with cropToSize() or resizeImage().',
    })
  }
  return tf.tidy(() => tf.mean(tf.sub(edited, original), 3).squeeze<tf.Tensor2D>([0]))
}

/**
 * Keeps the strongest changes and sets the rest to zero. The threshold is on `|d|`, so changes to darker and to
 * brighter survive alike; thresholding the signed map, as published difference maps do, loses one of the signs.
 *
 * @param map - a {@link differenceMap}; borrowed
 * @param fraction - share of the pixels to keep, in [0, 1]: 0.1 keeps what lies above the 90th percentile of `|d|`
 * @returns `[height, width]`, owned by the caller; ties with the weakest kept pixel are kept too, pixels without
 * change never count
 * @throws `ArgumentError` for a fraction outside [0, 1]
 */
export async function strongestChanges(map: tf.Tensor2D, fraction: number): Promise<tf.Tensor2D> {
  expectShape(map, [null, null], 'strongestChanges', 'map')
  expectNumber(fraction, { min: 0, max: 1 }, 'strongestChanges', 'fraction')
  const values = (await map.data()) as Float32Array
  const sizes = values.map(Math.abs).sort()
  const kept = Math.round(fraction * sizes.length)
  const threshold = kept === 0 ? Number.POSITIVE_INFINITY : sizes[sizes.length - kept]!
  return tf.tensor2d(
    values.map((v) => (Math.abs(v) >= threshold ? v : 0)),
    map.shape,
  )
}
