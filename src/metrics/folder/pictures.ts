import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import { breathe, ImageError, type RunOptions } from '../../core/index.js'
import { readImage } from '../../image/index.js'

/** How the pictures of a folder are read. */
export interface PicturesOptions extends Pick<RunOptions, 'signal'> {
  /** `[height, width]` or the side of a square; by default each picture keeps its own. */
  readonly size?: number | readonly [number, number] | undefined
  /** 3 by default. */
  readonly channels?: 1 | 3 | undefined
}

/** A file that is no readable picture. */
export interface Unreadable {
  /** Its path below the folder. */
  readonly name: string
  /** What the reader said. */
  readonly reason: string
}

/** A file of a folder that is a picture. */
export interface FolderPicture {
  /** Its path below the folder. */
  readonly name: string
  /** `[1, height, width, channels]` in [0, 1]. */
  readonly image: Tensor4D
}

/** A file of a folder that is none. */
export interface FolderFailure extends Unreadable {
  /** There is none. */
  readonly image: null
}

/** A file of a folder: a picture, or why it is none. */
export type FolderEntry = FolderPicture | FolderFailure

const extensions = /\.(png|jpe?g|webp|tiff?|gif|avif)$/i

/**
 * The picture files of a folder and its folders, in order of their paths; other files are not pictures and are left
 * out, hidden ones too.
 *
 * @throws ImageError when the folder cannot be read, or holds no picture file
 */
export async function pictureNames(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw new ImageError({
      rule: 'A folder of pictures must exist and be readable',
      got: folder,
      mend: 'Check the path and its permissions.',
      cause,
    })
  })
  const names = all
    .filter((entry) => entry.isFile() && extensions.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
    .sort()
  if (names.length > 0) return names
  throw new ImageError({
    rule: 'A folder of pictures must hold at least one (png, jpg, webp, tif, gif, avif)',
    got: folder,
    mend: 'An empty set has no score.',
  })
}

/**
 * Reads a folder one picture at a time, so that memory does not grow with it. A file that cannot be read is an entry
 * of its own, never skipped.
 *
 * @param folder - searched with its folders
 * @param options - size, channels, signal
 * @returns entries in order of their paths; an image is `[1, height, width, channels]` in [0, 1], borrowed, and
 * freed when the next is asked for
 * @throws ImageError when the folder cannot be read or holds no picture file
 *
 * @example
 * ```ts
 * for await (const { name, image } of pictures('edited', { size: 512 })) console.log(name, image?.shape)
 * ```
 */
export async function* pictures(folder: string, options: PicturesOptions = {}): AsyncGenerator<FolderEntry> {
  for (const name of await pictureNames(folder)) {
    await breathe(options, 'reading pictures')
    const entry = await readEntry(folder, name, options)
    try {
      yield entry
    } finally {
      entry.image?.dispose()
    }
  }
}

/** One file as an entry; its image is owned by the caller. */
export async function readEntry(
  folder: string,
  name: string,
  { size, channels = 3 }: PicturesOptions,
): Promise<FolderEntry> {
  try {
    const image = await readImage(join(folder, name), size === undefined ? { channels } : { size, channels })
    return { name, image }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    return { name, image: null, reason: error.message }
  }
}
