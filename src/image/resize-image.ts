import * as tf from '@tensorflow/tfjs'
import { expectShape } from '../core/index.js'
import { toSize } from './checks.js'
import { fitRaster, type ResizeOptions } from './fit.js'

/**
 * Resizes a picture that is already a tensor, with the kernels of {@link readImage}, in double precision and without
 * rounding to levels.
 *
 * @param image - `[1, height, width, 1 or 3]` in [0, 1]; borrowed
 * @param size - side of a square, or `[height, width]`
 * @param options - kernel, fit and background
 * @returns `[1, ...size, channels]`, clamped to [0, 1], owned by the caller
 * @throws `ShapeError` for another shape, `ArgumentError` for an option outside its domain
 */
export async function resizeImage(
  image: tf.Tensor4D,
  size: number | readonly [number, number],
  options: ResizeOptions = {},
): Promise<tf.Tensor4D> {
  const where = 'resizeImage'
  expectShape(image, [1, null, null, image.shape[3] === 1 ? 1 : 3], where, 'image')
  const pair = toSize(size, where)
  const [, height, width, channels] = image.shape
  const data = (await image.data()) as Float32Array
  const resized = fitRaster({ data, height, width, channels, peak: 1 }, pair, options, where)
  return tf.tensor4d(Float32Array.from(resized.data), [1, ...pair, channels])
}
