import * as tf from '@tensorflow/tfjs'
import type { AutoencoderConfig } from '../config.js'
import type { AutoencoderParameters } from './parameters.js'
import { type Seams, type Tiles, tiled } from './tiling.js'
import { decode, encode } from './vae.js'

/** Ways to encode and decode large pictures in less memory. */
export interface VaeMemoryOptions {
  /**
   * Cut pictures larger than the training size into overlapping tiles (a quarter of a tile) and fade them into each
   * other; the result differs slightly. Off by default.
   */
  readonly tiling?: boolean
  /** Take the pictures of a batch one at a time; the result is the same. Off by default. */
  readonly slicing?: boolean
}

/**
 * The posterior's mean of a picture of any size, with tiling and slicing.
 *
 * @param image - `[batch, height, width, 3]` in [-1, 1], borrowed
 * @returns unscaled latents, owned by the caller
 */
export function encodeMean(
  parameters: AutoencoderParameters,
  config: AutoencoderConfig,
  image: tf.Tensor4D,
  options: VaeMemoryOptions = {},
): tf.Tensor4D {
  const { pixels, latents } = tileSizes(config)
  const whole = (x: tf.Tensor4D) => tf.tidy(() => encode(parameters, config, x).mean)
  return inParts(image, options, pixels.size, whole, (x) => tiled(x, pixels, latents.seams, whole))
}

/**
 * The picture of latents of any size, with tiling and slicing.
 *
 * @param latents - unscaled, `[batch, height, width, latent channels]`, borrowed
 * @returns `[batch, height', width', 3]`, about [-1, 1]; owned by the caller
 */
export function decodeLarge(
  parameters: AutoencoderParameters,
  config: AutoencoderConfig,
  latents: tf.Tensor4D,
  options: VaeMemoryOptions = {},
): tf.Tensor4D {
  const sizes = tileSizes(config)
  const whole = (x: tf.Tensor4D) => decode(parameters, config, x)
  return inParts(latents, options, sizes.latents.size, whole, (x) =>
    tiled(x, sizes.latents, sizes.pixels.seams, whole),
  )
}

// Tiles are as large as the training pictures and overlap by a quarter.
function tileSizes(
  config: AutoencoderConfig,
): Record<'pixels' | 'latents', Tiles & { readonly seams: Seams }> {
  const of = (size: number) => {
    const stride = Math.floor(size * 0.75)
    return { size, stride, seams: { blend: Math.floor(size * 0.25), keep: stride } }
  }
  return {
    pixels: of(config.sample_size),
    latents: of(Math.floor(config.sample_size / 2 ** (config.block_out_channels.length - 1))),
  }
}

function inParts(
  x: tf.Tensor4D,
  { tiling = false, slicing = false }: VaeMemoryOptions,
  tile: number,
  whole: (x: tf.Tensor4D) => tf.Tensor4D,
  inTiles: (x: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const run = tiling && Math.max(x.shape[1], x.shape[2]) > tile ? inTiles : whole
  if (!slicing || x.shape[0] === 1) return run(x)
  return tf.tidy(() => tf.concat((tf.split(x, x.shape[0]) as tf.Tensor4D[]).map(run)))
}
