import * as tf from '@tensorflow/tfjs'
import { memoryBudget } from '../../core/index.js'

/**
 * How many batch rows one call of the network may have within the backend's memory budget: an estimate that errs
 * towards fewer.
 *
 * A row's peak is taken to be three copies of its largest self-attention map (8 heads, as many queries and keys as
 * latents have pixels) and 1,500 channels of features; for latents of 64 × 64 that is 1.6 GiB.
 *
 * @param latentSize - height and width of the picture's latents
 * @returns at least 3 (a source and one guided edit); `Infinity` without a budget
 */
export function rowsWithinBudget([height, width]: readonly [number, number]): number {
  const pixels = height * width
  const bytesPerRow = 4 * (3 * 8 * pixels ** 2 + 1500 * pixels)
  const free = memoryBudget() - tf.memory().numBytes
  return Math.max(3, Math.floor(free / bytesPerRow))
}
