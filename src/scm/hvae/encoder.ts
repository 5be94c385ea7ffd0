import * as tf from '@tensorflow/tfjs'
import { conv2d } from '../../nn/index.js'
import { padded, parseEncoder } from './architecture.js'
import { hvaeBlock } from './block.js'
import type { HvaeParameters } from './parameters.js'
import { averagePool } from './resample.js'
import type { HvaeConfig } from './settings.js'

/** Activations by resolution: the last block's output at each size. */
export type HvaeActivations = ReadonlyMap<number, tf.Tensor4D>

/**
 * Bottom-up: a 7 × 7 stem, then blocks and average pools. Odd sizes above 1 are padded at the far edges.
 *
 * @param x - `[batch, size, size, channels]` in [-1, 1], borrowed
 * @returns one activation per resolution, `[batch, r, r, width]`; owned by the caller, or by the tidy around the call
 */
export function hvaeEncode({ encoder }: HvaeParameters, config: HvaeConfig, x: tf.Tensor4D): HvaeActivations {
  const activations = new Map<number, tf.Tensor4D>()
  let h = conv2d(encoder.stem, x)
  for (const [i, { down }] of parseEncoder(config).entries()) {
    h = hvaeBlock(encoder.blocks[i]!, config, h)
    if (down > 1) h = averagePool(h, down)
    const more = padded(h.shape[1]) - h.shape[1]
    if (more > 0)
      h = tf.pad(h, [
        [0, 0],
        [0, more],
        [0, more],
        [0, 0],
      ])
    activations.set(h.shape[1], h)
  }
  return activations
}
