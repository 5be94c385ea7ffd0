import * as tf from '@tensorflow/tfjs'
import type { ConvParameters } from './parameters.js'

/** How a convolution moves and pads. */
export interface ConvOptions {
  /** Step between outputs; 1 by default. */
  readonly stride?: number
  /** Zeros before and after each spatial axis; by default what keeps the size at stride 1. */
  readonly padding?: readonly [before: number, after: number]
}

/**
 * 2-D convolution (cross-correlation) with bias.
 *
 * Padding is always explicit: TensorFlow's `'same'` pads a strided convolution on other sides than PyTorch does.
 *
 * @param parameters - `weight [kh, kw, in, out]`, optional `bias [out]`
 * @param x - `[batch, height, width, in]`, borrowed
 * @returns `[batch, height', width', out]`, owned by the caller
 */
export function conv2d(
  { weight, bias }: ConvParameters,
  x: tf.Tensor4D,
  { stride = 1, padding }: ConvOptions = {},
): tf.Tensor4D {
  return tf.tidy(() => {
    const padded = padding ? tf.pad(x, [[0, 0], [...padding], [...padding], [0, 0]]) : x
    const y = tf.conv2d(padded, weight, stride, padding ? 'valid' : 'same')
    return bias ? tf.add(y, bias) : y
  })
}
