import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { readPixels } from '../images.js'
import { average, type MetricResult } from '../result.js'
import { expectCounts } from './counts.js'
import { meanOfDefined } from './defined.js'
import { cosine, type ImageEmbedder, type TextEmbedder, unitRows } from './embedder.js'

/** Whose CLIP score. */
export interface ClipScoreOptions {
  /** `'torchmetrics-1.9'`: `max(mean 100 cos, 0)`; `'hessel2021'`: `mean 2.5 max(cos, 0)`. The first by default. */
  readonly dialect?: 'torchmetrics-1.9' | 'hessel2021'
}

/**
 * CLIP score: how well each picture agrees with its text.
 *
 * The dialects differ in more than scale: torchmetrics clips *after* the mean, so that a pair may lower the others;
 * Hessel et al. 2021 clip each pair. `perImage` has `100 cos`, unclipped, or `2.5 max(cos, 0)`.
 *
 * @param embedder - CLIP, or a model of the field: CLIP says next to nothing of X-rays
 * @param images - `[n, height, width, 3]` in [0, 1], borrowed
 * @param texts - one per picture
 * @param options - dialect
 * @throws ArgumentError when the numbers differ, or pixels are outside [0, 1]
 *
 * @example
 * ```ts
 * const { value } = await clipScore(clip, edited, captions, { dialect: 'hessel2021' })
 * ```
 */
export async function clipScore(
  embedder: ImageEmbedder & TextEmbedder,
  images: Tensor4D,
  texts: readonly string[],
  { dialect = 'torchmetrics-1.9' }: ClipScoreOptions = {},
): Promise<MetricResult> {
  const where = 'clipScore'
  if (dialect !== 'torchmetrics-1.9' && dialect !== 'hessel2021') {
    throw new ArgumentError({
      rule: "clipScore needs dialect to be 'torchmetrics-1.9' or 'hessel2021'",
      got: JSON.stringify(dialect),
      mend: 'They differ in scale (100 or 2.5) and in where negative values are clipped.',
    })
  }
  expectCounts({ images: images.shape[0], texts: texts.length }, where)
  await readPixels(images, [0, 1], where, 'images')
  const seen = await unitRows(embedder.embedImages(images), texts.length, where)
  const read = await unitRows(embedder.embedTexts(texts), texts.length, where)
  const cosines = seen.map((row, i) => cosine(row, read[i]!))
  const hessel = dialect === 'hessel2021'
  const perImage = cosines.map((c) => (hessel ? 2.5 * Math.max(c, 0) : 100 * c))
  const result = meanOfDefined({ metric: 'clip-score', dialect }, perImage, 'an embedding of zeros')
  const value = hessel ? result.value : Math.max(0, average(perImage.filter((c) => !Number.isNaN(c))))
  return { ...result, range: [0, 1], value }
}
