import type { Tensor4D } from '@tensorflow/tfjs'
import { expectPairs, readPairs } from '../images.js'
import type { MetricResult } from '../result.js'
import { expectCounts } from './counts.js'
import { meanOfDefined } from './defined.js'
import { cosine, type ImageEmbedder, type TextEmbedder, unitRows } from './embedder.js'

/**
 * Image-image similarity: the cosine of the embeddings of each pair.
 *
 * @param embedder - anything that embeds pictures; only cosines of one model compare
 * @param images - `[n, height, width, 3]` in [0, 1], borrowed
 * @param references - the same shape, pair by pair; borrowed
 * @throws ShapeError when the shapes differ, ArgumentError on pixels outside [0, 1]
 *
 * @example
 * ```ts
 * const { value } = await imageSimilarity(clip, edited, originals)
 * ```
 */
export async function imageSimilarity(
  embedder: ImageEmbedder,
  images: Tensor4D,
  references: Tensor4D,
): Promise<MetricResult> {
  const where = 'imageSimilarity'
  expectPairs(images, references, where)
  await readPairs(images, references, [0, 1], where)
  const n = images.shape[0]
  const a = await unitRows(embedder.embedImages(images), n, where)
  const b = await unitRows(embedder.embedImages(references), n, where)
  const perImage = a.map((row, i) => cosine(row, b[i]!))
  const about = { metric: 'image-similarity', dialect: 'cosine' }
  return { ...meanOfDefined(about, perImage, 'an embedding of zeros'), range: [0, 1] }
}

/**
 * Text-text similarity: the cosine of the embeddings of each pair. Gates ask it how far a caption was changed.
 *
 * @param embedder - anything that embeds texts
 * @param texts - one per reference
 * @param references - one per text
 * @throws ArgumentError when the numbers differ
 *
 * @example
 * ```ts
 * const { value } = await textSimilarity(clip, ['no effusion'], ['small effusion'])
 * ```
 */
export async function textSimilarity(
  embedder: TextEmbedder,
  texts: readonly string[],
  references: readonly string[],
): Promise<MetricResult> {
  const where = 'textSimilarity'
  expectCounts({ texts: texts.length, references: references.length }, where)
  const a = await unitRows(embedder.embedTexts(texts), texts.length, where)
  const b = await unitRows(embedder.embedTexts(references), texts.length, where)
  const perImage = a.map((row, i) => cosine(row, b[i]!))
  return meanOfDefined({ metric: 'text-similarity', dialect: 'cosine' }, perImage, 'an embedding of zeros')
}
