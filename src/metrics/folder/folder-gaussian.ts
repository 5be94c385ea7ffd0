import type { RunOptions } from '../../core/index.js'
import { type GaussianSummary, gaussianAccumulator } from '../distribution/gaussian.js'
import type { FeatureFunction } from '../networks/feature-network.js'
import { type PicturesOptions, pictures, type Unreadable } from './pictures.js'

/** The features of a folder, summed up for FID. */
export interface FolderGaussian {
  /** For `fid`. */
  readonly summary: GaussianSummary
  /** Files that are no readable picture; they are not in the summary. */
  readonly unreadable: readonly Unreadable[]
}

/**
 * Streams a folder through a feature function into the mean and covariance that FID needs, in flat memory.
 *
 * @param folder - searched with its folders
 * @param features - a network's feature function and width
 * @param options - size, channels, signal, progress
 * @throws ImageError when the folder cannot be read or holds no picture file
 *
 * @example
 * ```ts
 * const [a, b] = [await folderGaussian('edited', network), await folderGaussian('originals', network)]
 * const { value } = await fid(a.summary, b.summary, { features: network.name })
 * ```
 */
export async function folderGaussian(
  folder: string,
  { features, width }: { readonly features: FeatureFunction; readonly width: number },
  options: PicturesOptions & RunOptions = {},
): Promise<FolderGaussian> {
  const gaussian = gaussianAccumulator(width)
  const unreadable: Unreadable[] = []
  for await (const entry of pictures(folder, options)) {
    if (entry.image === null) {
      unreadable.push({ name: entry.name, reason: entry.reason })
      continue
    }
    const rows = await features(entry.image)
    try {
      await gaussian.add(rows)
    } finally {
      rows.dispose()
    }
    const done = gaussian.n + unreadable.length
    options.onProgress?.({ stage: 'features of a folder', done, total: done, detail: entry.name })
  }
  return { summary: gaussian.summary(), unreadable }
}
