import * as tf from '@tensorflow/tfjs'
import { conv2d, gelu, relu } from '../../nn/index.js'
import type { HvaeBlockParameters } from './parameters.js'
import type { HvaeConfig } from './settings.js'

/** Which block, beside its weights. */
export interface HvaeBlockOptions {
  /** Adds the input, projected where the width changes; true by default. */
  readonly residual?: boolean
}

/**
 * A pre-activation block: `x + conv(act(… conv(act(x))))`, with GELU and convolutions of 1, 3, 3, 1, or if light
 * with ReLU and two of 3 × 3.
 *
 * @param x - `[batch, height, width, in]`, borrowed
 * @returns `[batch, height, width, out]`, owned by the caller
 */
export function hvaeBlock(
  { conv, width_proj }: HvaeBlockParameters,
  { vr }: Pick<HvaeConfig, 'vr'>,
  x: tf.Tensor4D,
  { residual = true }: HvaeBlockOptions = {},
): tf.Tensor4D {
  return tf.tidy(() => {
    const activate = vr === 'light' ? relu<tf.Tensor4D> : gelu<tf.Tensor4D>
    // Keys are places in a PyTorch Sequential: 1, 3, 5, 7, which is also the order in which objects list them.
    let y = x
    for (const layer of Object.values(conv)) y = conv2d(layer, activate(y))
    if (!residual) return y
    return tf.add(y.shape[3] === x.shape[3] ? x : conv2d(width_proj!, x), y)
  })
}
