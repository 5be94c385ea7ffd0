import * as tf from '@tensorflow/tfjs'
import { runUntapedKernel } from '../core/index.js'
import { conv2d, conv2dPlus } from './conv2d.js'
import { groupNormSilu } from './group-norm.js'
import { linear } from './linear.js'
import type { ConvParameters, LinearParameters, NormParameters } from './parameters.js'

/** A residual block; the VAE's have no time projection. */
export interface ResnetBlockParameters {
  /** Before the first convolution. */
  readonly norm1: NormParameters
  /** in to out */
  readonly conv1: ConvParameters
  /** Time embedding to out. */
  readonly time_emb_proj?: LinearParameters
  /** Before the second convolution. */
  readonly norm2: NormParameters
  /** out to out */
  readonly conv2: ConvParameters
  /** 1 × 1, where in and out differ. */
  readonly conv_shortcut?: ConvParameters
}

/** The norm's constants. */
export interface GroupNormOptions {
  /** Groups of every group norm. */
  readonly groups: number
  /** Added to the variance: 1e-5 in the UNet, 1e-6 in the VAE. */
  readonly epsilon: number
}

/**
 * `x + conv(silu(norm(conv(silu(norm(x))) + W time)))`, with a 1 × 1 shortcut where channels change. One kernel where the backend
 * can and nothing is differentiated.
 *
 * @param x - `[batch, height, width, in]`, borrowed
 * @param time - the time embedding after `silu`, which is the same for all blocks, `[batch, time channels]`; nothing in
 * the VAE; borrowed
 * @returns `[batch, height, width, out]`, owned by the caller
 */
export function resnetBlock(
  parameters: ResnetBlockParameters,
  x: tf.Tensor4D,
  { groups, epsilon }: GroupNormOptions,
  time?: tf.Tensor2D,
): tf.Tensor4D {
  const inputs: Record<string, tf.Tensor> = time ? { x, time } : { x }
  const [own] = runUntapedKernel('ResnetBlock', inputs, { parameters, groups, epsilon }) ?? []
  if (own) return own as tf.Tensor4D
  return tf.tidy(() => {
    let h = conv2d(parameters.conv1, groupNormSilu(parameters.norm1, x, groups, epsilon))
    if (time && parameters.time_emb_proj) {
      const shift = linear(parameters.time_emb_proj, time)
      h = tf.add(h, tf.reshape(shift, [shift.shape[0], 1, 1, -1]))
    }
    h = groupNormSilu(parameters.norm2, h, groups, epsilon)
    const straight = parameters.conv_shortcut ? conv2d(parameters.conv_shortcut, x) : x
    return conv2dPlus(parameters.conv2, h, straight)
  })
}
