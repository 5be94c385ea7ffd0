import sharp, { type Metadata } from 'sharp'
import { ImageError } from '../core/index.js'
import type { Raster } from './raster.js'
import { pngFrames, type Source } from './source.js'

/** What decoding needs to know. */
export interface DecodeOptions {
  readonly maxPixels: number
  readonly page: number | undefined
}

const formats = ['png', 'jpeg', 'webp', 'gif', 'tiff']

/** Bytes to upright pixels in the file's own depth: grey, grey and alpha, sRGB, or sRGB and alpha. */
export async function decode({ bytes, name }: Source, { maxPixels, page }: DecodeOptions): Promise<Raster> {
  const header = await readHeader(bytes, name)
  const { width, height } = header
  if (width * height > maxPixels) {
    throw new ImageError({
      rule: `readImage reads at most ${maxPixels} pixels`,
      got: `${name} of ${width}×${height} = ${width * height} pixels`,
      mend: 'If you trust the file and have the memory (15 bytes a pixel), raise `maxPixels`.',
    })
  }
  const frames = header.format === 'png' ? pngFrames(bytes) : (header.pages ?? 1)
  expectOneFrame(frames, page, header.format, name)
  const grey = header.channels <= 2
  const deep = header.depth === 'ushort'
  try {
    // 'error' also refuses a file that ends early; its missing rows would come back grey otherwise.
    // Profiles are left alone, as PIL leaves them: a gamma profile must not bend an X-ray. CMYK means nothing without one.
    const picture = sharp(bytes, {
      failOn: 'error',
      limitInputPixels: false,
      ignoreIcc: header.space !== 'cmyk',
      page: header.format === 'png' ? 0 : (page ?? 0),
    })
    const { data, info } = await picture
      .autoOrient()
      .toColourspace(grey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb')
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true })
    // A copy, because a view of 16-bit words must start at an even byte.
    const pixels = deep ? new Uint16Array(Uint8Array.from(data).buffer) : data
    return {
      data: pixels,
      height: info.height,
      width: info.width,
      channels: info.channels,
      peak: deep ? 65535 : 255,
    }
  } catch (cause) {
    throw damaged(name, cause)
  }
}

async function readHeader(bytes: Uint8Array, name: string): Promise<Metadata> {
  let header: Metadata
  try {
    header = await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch (cause) {
    if (!/unsupported image format/.test((cause as Error).message)) throw damaged(name, cause)
    throw new ImageError({
      rule: 'readImage reads PNG, JPEG, WebP, GIF and TIFF',
      got: `${name}, which is none of them`,
      mend: 'Convert the picture to PNG first.',
      cause,
    })
  }
  const supported = formats.includes(header.format) && ['uchar', 'ushort'].includes(header.depth)
  if (supported) return header
  throw new ImageError({
    rule: 'readImage reads PNG, JPEG, WebP, GIF and TIFF of 8 or 16 unsigned bits',
    got: `${name}, which is ${header.format} with pixels of type ${header.depth}`,
    mend: 'Convert the picture to PNG first.',
  })
}

function expectOneFrame(frames: number, page: number | undefined, format: string, name: string): void {
  if (frames === 1 && (page ?? 0) === 0) return
  if (page !== undefined && page < frames && (format !== 'png' || page === 0)) return
  throw new ImageError({
    rule: 'readImage reads one frame',
    got: `${name} with ${frames} ${frames === 1 ? 'frame' : 'frames'}${page === undefined ? '' : ` and page ${page}`}`,
    mend:
      format === 'png'
        ? 'Of an animated PNG only page 0 can be read; pass `page: 0`.'
        : `Pass \`page\`, from 0 to ${frames - 1}, to choose one.`,
  })
}

function damaged(name: string, cause: unknown): ImageError {
  return new ImageError({
    rule: 'readImage needs a whole, undamaged picture',
    got: `${name}: ${(cause as Error).message.trim().replaceAll('\n', '; ')}`,
    mend: 'The file is cut off or corrupt: copy or download it again.',
    cause,
  })
}
