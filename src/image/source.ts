import { readFile } from 'node:fs/promises'
import { ImageError } from '../core/index.js'

/** The bytes of a picture, with the name that errors call it by. */
export interface Source {
  readonly bytes: Uint8Array
  readonly name: string
}

/**
 * Reads the whole file rather than handing its path to sharp: libvips remembers files by path and may answer with
 * the old picture after the file was written again.
 */
export async function openSource(source: string | Uint8Array): Promise<Source> {
  const name = typeof source === 'string' ? source : `an array of ${source.byteLength} bytes`
  const bytes = typeof source === 'string' ? await readBytes(source) : source
  if (bytes.byteLength === 0) {
    throw new ImageError({
      rule: 'readImage needs the bytes of a picture',
      got: `${name}, which is empty`,
      mend: 'Write or download the file again.',
    })
  }
  if (ascii(bytes, 128, 4) === 'DICM') {
    throw new ImageError({
      rule: 'readImage reads PNG, JPEG, WebP, GIF and TIFF',
      got: `${name}, which is DICOM`,
      mend: 'Export the pixels as a 16-bit greyscale PNG and pass the window as the option `window`.',
    })
  }
  return { bytes, name }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ImageError({
      rule: 'readImage needs a file that can be read',
      got: missing ? `${path}, which does not exist` : `${path}: ${(cause as Error).message}`,
      mend: missing
        ? `Check the path; it is resolved against ${process.cwd()}.`
        : 'Check that it is a file and that you may read it.',
      cause,
    })
  }
}

/**
 * Frames of an animated PNG, 1 for a plain one. libvips shows the first frame of an animated PNG as if it were
 * everything, so the `acTL` chunk, which stands before the pixels, is read here.
 */
export function pngFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; at + 12 <= bytes.byteLength; at += 12 + view.getUint32(at)) {
    const kind = ascii(bytes, at + 4, 4)
    if (kind === 'acTL') return view.getUint32(at + 8)
    if (kind === 'IDAT') return 1
  }
  return 1
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
