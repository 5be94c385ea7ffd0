import type * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../core/index.js'

/** Standard normal noise `[batch, height, width, channels]`, drawn in channels-last order; owned by the caller. */
export function drawNormal(
  random: TorchRandom,
  shape: readonly [number, number, number, number],
): tf.Tensor4D {
  return random.normalTensor<tf.Rank.R4>([...shape])
}

/** Whole numbers from 0 to `below - 1`. */
export function drawIntegers(random: TorchRandom, count: number, below: number): number[] {
  return Array.from(random.uniform(count), (u) => Math.floor(u * below))
}
