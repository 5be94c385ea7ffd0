import * as tf from '@tensorflow/tfjs'
import { conv2d } from './conv2d.js'
import type { ConvParameters } from './parameters.js'

/** A strided or upsampling convolution, as checkpoints nest it. */
export interface ResampleParameters {
  /** 3 × 3 */
  readonly conv: ConvParameters
}

/**
 * Halves the size by a 3 × 3 convolution of stride 2.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param padding - zeros before and after each axis: the UNet pads both sides, the VAE's encoder only the end
 * @returns `[batch, ⌈height/2⌉, ⌈width/2⌉, channels]` for the UNet's padding; owned by the caller
 */
export function downsample(
  { conv }: ResampleParameters,
  x: tf.Tensor4D,
  padding: readonly [before: number, after: number],
): tf.Tensor4D {
  return conv2d(conv, x, { stride: 2, padding })
}

/**
 * Enlarges to `size` by nearest neighbours, then convolves 3 × 3.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param size - the result's `[height, width]`; twice the input unless the skip to be joined is odd
 * @returns `[batch, ...size, channels]`, owned by the caller
 */
export function upsample(
  { conv }: ResampleParameters,
  x: tf.Tensor4D,
  size: readonly [number, number] = [2 * x.shape[1], 2 * x.shape[2]],
): tf.Tensor4D {
  return tf.tidy(() => conv2d(conv, tf.image.resizeNearestNeighbor(x, [...size])))
}
