import { breathe, ImageError, type RunOptions, ShapeError } from '../../core/index.js'
import { average, type MetricResult, type PairMetric } from '../result.js'
import { type PicturesOptions, pictureNames, readEntry, type Unreadable } from './pictures.js'

/** How two folders are read and followed. */
export interface ScoreFoldersOptions extends PicturesOptions, RunOptions {}

/** Two folders, scored pair by pair. */
export interface FolderScores {
  /** One result per metric, in order; `perImage` is parallel to `names`. */
  readonly results: readonly MetricResult[]
  /** The pairs that were scored, by their path below the folders. */
  readonly names: readonly string[]
  /** Files that are no readable picture, with their folder's name before them; their pairs are not scored. */
  readonly unreadable: readonly Unreadable[]
  /** Files that only one folder has. */
  readonly unpaired: readonly string[]
}

/**
 * Scores a folder of pictures against a folder of references, paired by their paths below the folders, one pair in
 * memory at a time.
 *
 * What could not be scored is named and counted in the result, and in the warnings of every metric.
 *
 * @param images - a folder
 * @param references - a folder
 * @param metrics - of pairs, over pictures in [0, 1]
 * @param options - size, channels, signal, progress
 * @throws ImageError when a folder cannot be read, or no pair is left; ShapeError naming a pair whose sizes differ
 *
 * @example
 * ```ts
 * const { results, names, unreadable } = await scoreFolders('edited', 'originals', [ssim(), psnr(), l1()])
 * ```
 */
export async function scoreFolders(
  images: string,
  references: string,
  metrics: readonly PairMetric[],
  options: ScoreFoldersOptions = {},
): Promise<FolderScores> {
  const [left, right] = [await pictureNames(images), await pictureNames(references)]
  const there = new Set(right)
  const both = left.filter((name) => there.has(name))
  const paired = new Set(both)
  const unpaired = [...left, ...right].filter((name) => !paired.has(name))
  const unreadable: Unreadable[] = []
  const names: string[] = []
  const columns: number[][] = metrics.map(() => [])
  const warnings = metrics.map(() => new Map<string, number>())
  for (const [i, name] of both.entries()) {
    await breathe(options, 'scoring folders')
    const a = await readEntry(images, name, options)
    const b = await readEntry(references, name, options)
    try {
      for (const [entry, folder] of [
        [a, images],
        [b, references],
      ] as const)
        if (entry.image === null) unreadable.push({ name: `${folder}/${name}`, reason: entry.reason })
      if (a.image === null || b.image === null) continue
      for (const [m, metric] of metrics.entries()) {
        const result = await metric(a.image, b.image).catch((error) => {
          throw error instanceof ShapeError ? named(error, name) : error
        })
        columns[m]!.push(result.perImage![0]!)
        for (const warning of result.warnings) count(warnings[m]!, warning)
      }
      names.push(name)
    } finally {
      a.image?.dispose()
      b.image?.dispose()
    }
    options.onProgress?.({ stage: 'scoring folders', done: i + 1, total: both.length, detail: name })
  }
  if (names.length === 0) throw nothingLeft(images, references, unreadable)
  const common = [
    ...(unreadable.length > 0 ? [`${unreadable.length} unreadable files were not scored`] : []),
    ...(unpaired.length > 0 ? [`${unpaired.length} files are in one folder only and were not scored`] : []),
  ]
  const results = metrics.map(({ metric, dialect, range }, m) => ({
    metric,
    dialect,
    range,
    n: names.length,
    value: average(columns[m]!.filter((value) => !Number.isNaN(value))),
    perImage: columns[m]!,
    warnings: [...common, ...[...warnings[m]!].map(([warning, times]) => `${times} pairs: ${warning}`)],
  }))
  return { results, names, unreadable, unpaired }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function named(error: ShapeError, name: string): ShapeError {
  const [rule = error.message] = error.message.split('; got ')
  const mend = `${error.mend} Or pass { size }, so that all are read at one size.`
  return new ShapeError({ rule: `${name}: ${rule}`, got: error.got, mend, cause: error })
}

function nothingLeft(images: string, references: string, unreadable: readonly Unreadable[]): ImageError {
  return new ImageError({
    rule: `scoreFolders needs at least one pair of readable pictures in ${images} and ${references}`,
    got:
      unreadable.length > 0
        ? `${unreadable.length} unreadable, first ${unreadable[0]!.name}`
        : 'none of one name',
    mend: 'Pictures are paired by their path below the folders, extension included.',
  })
}
