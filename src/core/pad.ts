import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { expectNumber } from './shapes.js'

/**
 * Extends images at the bottom and the right, by repeating the last row and column, until both sides are
 * multiples of `multiple`. Undo with {@link cropEdges}.
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param multiple - in pixels, at least 1
 * @returns a tensor of its own even where nothing had to be added, owned by the caller
 * @throws ArgumentError when `multiple` is not a whole number of at least 1
 */
export function padEdges(images: Tensor4D, multiple: number): Tensor4D {
  expectNumber(multiple, { min: 1, integer: true }, 'padEdges', 'multiple')
  return tf.tidy(() => {
    const [, height, width] = images.shape
    const tall = extend(images, 1, roundUp(height, multiple))
    return extend(tall, 2, roundUp(width, multiple)).clone()
  })
}

/**
 * Keeps the top left part of images.
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param size - `[height, width]` to keep, in pixels
 * @returns `[batch, ...size, channels]`, owned by the caller
 */
export function cropEdges(images: Tensor4D, [height, width]: readonly [number, number]): Tensor4D {
  return images.slice([0, 0, 0, 0], [-1, height, width, -1])
}

/** The smallest multiple that is no smaller than `n`. */
export function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple
}

function extend(images: Tensor4D, axis: 1 | 2, size: number): Tensor4D {
  const present = images.shape[axis]
  if (size === present) return images
  const indices = Int32Array.from({ length: size }, (_, i) => Math.min(i, present - 1))
  return images.gather(tf.tensor1d(indices, 'int32'), axis)
}
