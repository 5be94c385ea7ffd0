import type { Tensor4D } from '@tensorflow/tfjs'
import { dot } from '../distribution/factor.js'
import { expectPairs, readPairs } from '../images.js'
import type { MetricResult } from '../result.js'
import { expectCounts } from './counts.js'
import { meanOfDefined } from './defined.js'
import { cosine, type ImageEmbedder, type TextEmbedder, unit, unitRows } from './embedder.js'

/** An edit, seen and said. */
export interface DirectionalPairs {
  /** `[n, height, width, 3]` in [0, 1], before; borrowed. */
  readonly originals: Tensor4D
  /** The same, after; borrowed. */
  readonly edited: Tensor4D
  /** One text per original. */
  readonly sourceTexts: readonly string[]
  /** One text per edited picture. */
  readonly targetTexts: readonly string[]
}

/**
 * CLIP directional similarity: did the picture move as the words did?
 * `cos(E_I(x′) − E_I(x), E_T(t′) − E_T(t))`, embeddings of length 1.
 *
 * Where nothing moved, in pictures or in words, there is no direction: the entry is NaN (not 0, which would say "at
 * right angles"), left out of the mean, and counted in a warning.
 *
 * @param embedder - CLIP, or a model of the field
 * @param pairs - the pictures and their texts, in order
 * @throws ArgumentError when the numbers differ or pixels are outside [0, 1], ShapeError when the pictures do
 * @see Gal et al. 2022 (StyleGAN-NADA); Brooks et al. 2023 (InstructPix2Pix).
 *
 * @example
 * ```ts
 * const { perImage } = await directionalSimilarity(clip, { originals, edited, sourceTexts, targetTexts })
 * ```
 */
export async function directionalSimilarity(
  embedder: ImageEmbedder & TextEmbedder,
  { originals, edited, sourceTexts, targetTexts }: DirectionalPairs,
): Promise<MetricResult> {
  const where = 'directionalSimilarity'
  expectPairs(edited, originals, where)
  const n = originals.shape[0]
  expectCounts({ images: n, 'source texts': sourceTexts.length, 'target texts': targetTexts.length }, where)
  await readPairs(edited, originals, [0, 1], where)
  const [before, after, said, says] = [
    await unitRows(embedder.embedImages(originals), n, where),
    await unitRows(embedder.embedImages(edited), n, where),
    await unitRows(embedder.embedTexts(sourceTexts), n, where),
    await unitRows(embedder.embedTexts(targetTexts), n, where),
  ]
  const perImage = before.map((row, i) => cosine(direction(row, after[i]!), direction(said[i]!, says[i]!)))
  const why = 'the pictures or the texts of a pair do not differ'
  return {
    ...meanOfDefined({ metric: 'directional-similarity', dialect: 'unit' }, perImage, why),
    range: [0, 1],
  }
}

// Less than this is the rounding of single precision, and its direction means nothing.
const nothing = 1e-6

function direction(from: Float64Array, to: Float64Array): Float64Array {
  const step = to.map((value, j) => value - from[j]!)
  return dot(step, step) < nothing ** 2 ? new Float64Array(step.length) : unit(step)
}
