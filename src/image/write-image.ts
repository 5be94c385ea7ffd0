import { extname } from 'node:path'
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import sharp, { type Sharp } from 'sharp'
import { ArgumentError, expectNumber, ImageError, writeAtomically } from '../core/index.js'
import { expectOneOf } from './checks.js'
import { toLevels } from './levels.js'

/** How {@link encodePng} stores. */
export interface EncodePngOptions {
  /** Bits of each channel, 8 (default) or 16. */
  readonly bitDepth?: 8 | 16
}

/** How {@link writeImage} stores. */
export interface WriteImageOptions extends EncodePngOptions {
  /** 1 to 100. JPEG: 95 by default. WebP: lossless by default. PNG has none. */
  readonly quality?: number
}

/**
 * A picture as the bytes of a PNG file, to embed in a page or to send.
 *
 * @param image - `[1, height, width, 1 or 3]` or `[height, width, 1 or 3]` in [0, 1], rounded to levels with ties to
 * even; borrowed
 * @param options - the bit depth
 * @throws `ShapeError` for a batch, `NumericError` with the count of pixels that are not finite
 */
export async function encodePng(
  image: Tensor3D | Tensor4D,
  options: EncodePngOptions = {},
): Promise<Uint8Array> {
  return (await toSharp(image, options.bitDepth ?? 8, 'encodePng')).png().toBuffer()
}

/**
 * Writes a picture; the ending of the path chooses the format: `.png`, `.jpg`, `.jpeg` or `.webp`.
 * The file appears whole or not at all, missing folders are made.
 *
 * ```ts
 * await writeImage('out/edited.png', edited)
 * ```
 *
 * @param path - where to; an existing file is replaced
 * @param image - `[1, height, width, 1 or 3]` or `[height, width, 1 or 3]`, clamped to [0, 1], rounded to levels with
 * ties to even (as diffusers does); borrowed
 * @param options - bit depth (PNG) and quality (JPEG, WebP)
 * @throws `ArgumentError` for an unknown ending or an option that the format lacks
 * @throws `ShapeError` for a batch, `NumericError` with the count of pixels that are not finite
 * @throws `ImageError` when the file cannot be written
 */
export async function writeImage(
  path: string,
  image: Tensor3D | Tensor4D,
  options: WriteImageOptions = {},
): Promise<void> {
  const { bitDepth = 8, quality } = options
  const format = formatOf(path)
  if (format !== 'png') expectOneOf(bitDepth, [8], `writeImage (${format})`, 'bitDepth')
  if (quality !== undefined) {
    expectOneOf(format, ['jpeg', 'webp'], 'writeImage with quality', 'the format')
    expectNumber(quality, { min: 1, max: 100, integer: true }, 'writeImage', 'quality')
  }
  const picture = await toSharp(image, bitDepth, 'writeImage')
  const encoder = {
    png: () => picture.png(),
    // Full-resolution colour: subsampling would smear red and blue of a difference map.
    jpeg: () => picture.jpeg({ quality: quality ?? 95, chromaSubsampling: '4:4:4' }),
    webp: () => picture.webp(quality === undefined ? { lossless: true, exact: true } : { quality }),
  }[format]
  try {
    await writeAtomically(path, await encoder().toBuffer())
  } catch (cause) {
    throw new ImageError({
      rule: 'writeImage needs a path that can be written',
      got: `${path}: ${(cause as Error).message}`,
      mend: 'Check the folder, your permissions and the free space; nothing partial was left.',
      cause,
    })
  }
}

async function toSharp(image: Tensor3D | Tensor4D, bitDepth: 8 | 16, where: string): Promise<Sharp> {
  expectOneOf(bitDepth, [8, 16], where, 'bitDepth')
  const deep = bitDepth === 16
  const { data, height, width, channels } = await (deep
    ? toLevels(image, 65535, Uint16Array, where)
    : toLevels(image, 255, Uint8Array, where))
  const grey = channels === 1
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).toColourspace(
    grey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb',
  )
}

function formatOf(path: string): 'png' | 'jpeg' | 'webp' {
  const ending = extname(path).toLowerCase()
  if (ending === '.png') return 'png'
  if (ending === '.jpg' || ending === '.jpeg') return 'jpeg'
  if (ending === '.webp') return 'webp'
  throw new ArgumentError({
    rule: 'writeImage chooses the format by the ending: .png, .jpg, .jpeg or .webp',
    got: path,
    mend: 'Give the path one of these endings; PNG keeps every level.',
  })
}
