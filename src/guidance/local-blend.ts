import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { expectShape } from '../core/index.js'
import type { Resolution } from './word-maps.js'

/** How word maps become a mask. */
export interface BlendMaskOptions {
  /** Height and width of the latents to be masked. */
  readonly size: Resolution
  /** A pixel belongs to the region when its map exceeds this share of the map's maximum. */
  readonly threshold: number
  /** Widens the maps by a 3 × 3 maximum first. */
  readonly widen: boolean
}

/**
 * The region that chosen words attend to, in the source or in the edited image.
 *
 * Per prompt: 3 × 3 maximum, nearest-neighbour resize, division by the maximum, threshold; then the two
 * regions are united.
 *
 * @param maps - word maps of the source and the edited prompt, `[2, height, width]`; borrowed
 * @param options - the size of the mask and its threshold
 * @returns `[1, height, width, 1]` of zeros and ones, owned by the caller
 * @throws ShapeError when `maps` are not of two prompts
 * @see the published code of Hertz et al. 2022 (LocalBlend), after Avrahami et al. 2022.
 */
export function blendMask(maps: Tensor3D, { size, threshold, widen }: BlendMaskOptions): Tensor4D {
  expectShape(maps, [2, null, null], 'blendMask', 'maps')
  return tf.tidy(() => {
    const grid = maps.expandDims<Tensor4D>(3)
    const wide = widen ? tf.maxPool(grid, 3, 1, 'same') : grid
    const resized = tf.image.resizeNearestNeighbor(wide, [...size])
    const region = resized.greater(resized.max([1, 2, 3], true).mul(threshold))
    return region.any(0, true).toFloat() as Tensor4D
  })
}

/**
 * Keeps an edit inside a region: `source + mask · (target − source)`.
 *
 * @param source - latents `[1, height, width, channels]`; borrowed
 * @param target - edited latents of the same shape; borrowed
 * @param mask - `[1, height, width, 1]`, 1 where the edit may show; borrowed
 * @returns latents of the same shape, owned by the caller
 */
export function localBlend(source: Tensor4D, target: Tensor4D, mask: Tensor4D): Tensor4D {
  expectShape(target, source.shape, 'localBlend', 'target')
  return tf.tidy(() => source.add(target.sub(source).mul(mask)) as Tensor4D)
}

/**
 * The resolution whose word maps make the best masks, for latents of any size: a quarter of each side, but at
 * least 8 pixels, because a mask of 4 × 4 says little.
 *
 * 64 × 64 gives the published 16 × 16.
 *
 * @param latentSize - `[height, width]` of the latents
 */
export function defaultBlendResolution(latentSize: Resolution): Resolution {
  const side = (pixels: number) => Math.max(Math.ceil(pixels / 4), Math.min(8, pixels))
  return [side(latentSize[0]), side(latentSize[1])]
}
