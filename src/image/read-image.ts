import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber } from '../core/index.js'
import { expectOneOf, toColour, toSize } from './checks.js'
import { decode } from './decode.js'
import { fitRaster, type ResizeOptions } from './fit.js'
import { applyWindow, composeAlpha, type Raster, toGrey } from './raster.js'
import { openSource } from './source.js'

/** How {@link readImage} reads. */
export interface ReadImageOptions extends ResizeOptions {
  /** Side of a square, or `[height, width]`; the file's own size by default. */
  readonly size?: number | readonly [number, number]
  /** 3 (default) repeats grey three times; 1 mixes colours to luma (BT.601, as PIL's mode L). */
  readonly channels?: 1 | 3
  /**
   * The stored values that become 0 and 1, what lies outside is clamped: `[0, 4095]` for 12-bit data in a 16-bit
   * file. `'minmax'` takes the darkest and brightest value of the picture (an even picture becomes 0). By default
   * 255 or 65535, the file's full scale, becomes 1.
   */
  readonly window?: readonly [low: number, high: number] | 'minmax'
  /** The most pixels that will be decoded; 8192² by default. Guards against decompression bombs. */
  readonly maxPixels?: number
  /** Which frame of an animation or page of a TIFF, from 0; without it a file with several is refused. */
  readonly page?: number
}

/**
 * Reads a picture into numbers.
 *
 * PNG, JPEG, WebP, GIF and TIFF of 8 or 16 bits; 16-bit values keep all their bits (`value / 65535`). EXIF orientation
 * is applied. Transparency is laid over `background` (black). CMYK becomes sRGB; other colour profiles are ignored,
 * as diffusers ignores them.
 *
 * Resizing follows PIL, which diffusers uses: the kernels widen when shrinking (antialias), and 8-bit files come out
 * equal to PIL's to the last level for the same kernel; `fit: 'cover'` equals `ImageOps.fit`, `'contain'` `ImageOps.pad`,
 * and `'fill'` `Image.resize`. 16-bit and windowed pictures are not rounded in between.
 *
 * ```ts
 * const xray = await readImage('patient.png', { size: 512 })
 * ```
 *
 * @param source - a path, or the bytes of a file
 * @param options - size, kernel, channels, window and limits
 * @returns `[1, height, width, channels]` in [0, 1], owned by the caller
 * @throws `ImageError` when the file is missing, empty, truncated, animated, too large or no picture
 * @throws `ArgumentError` for an option outside its domain
 */
export async function readImage(
  source: string | Uint8Array,
  options: ReadImageOptions = {},
): Promise<tf.Tensor4D> {
  const where = 'readImage'
  const { channels = 3, window, maxPixels = 8192 ** 2, page } = options
  const size = options.size === undefined ? undefined : toSize(options.size, where)
  const background = toColour(options.background ?? 0, where)
  expectOneOf(channels, [1, 3], where, 'channels')
  expectNumber(maxPixels, { min: 1 }, where, 'maxPixels')
  if (page !== undefined) expectNumber(page, { min: 0, integer: true }, where, 'page')
  if (window !== undefined && window !== 'minmax') expectWindow(window)

  let raster = composeAlpha(await decode(await openSource(source), { maxPixels, page }), background)
  if (channels === 1) raster = toGrey(raster)
  if (window !== undefined) raster = applyWindow(raster, window)
  if (size !== undefined) raster = fitRaster(raster, size, options, where)
  return toTensor(raster, channels)
}

/** A raster as `[1, height, width, channels]` in [0, 1]; one channel is repeated where three are asked for. */
function toTensor({ data, height, width, channels: stored, peak }: Raster, channels: 1 | 3): tf.Tensor4D {
  const values = new Float32Array(height * width * channels)
  const repeat = channels / stored
  for (let i = 0; i < values.length; i++) values[i] = data[Math.trunc(i / repeat)]! / peak
  return tf.tensor4d(values, [1, height, width, channels])
}

function expectWindow([low, high]: readonly [number, number]): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return
  throw new ArgumentError({
    rule: 'readImage needs window to be [low, high] with low < high',
    got: `[${low}, ${high}]`,
    mend: 'Give both in stored units (0 to 255 or 65535), or pass "minmax".',
  })
}
