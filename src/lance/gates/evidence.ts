import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { Perturbation } from '../perturbation.js'
import { cosine, type Embedder, minus, unitRows } from './embedder.js'

/** How well pictures and captions of one edit agree, as cosines; `null` where one is undefined. */
export interface Similarities {
  /** Reconstruction and edit. */
  readonly imageImage: number | null
  /** Reconstruction and source caption. */
  readonly sourceText: number | null
  /** Edit and target caption. */
  readonly targetText: number | null
  /** What changed in the picture and what changed in the caption; undefined when either did not change. */
  readonly directional: number | null
  /** Edit and the new words; undefined where the caption only lost words. */
  readonly newWords: number | null
  /** Edit and the old words; undefined where the caption only gained words. */
  readonly oldWords: number | null
}

/** What gates judge an edit by. Tensors are borrowed. */
export interface Evidence extends Similarities {
  /** The captions and what changed between them. */
  readonly perturbation: Perturbation
  /** `[1, height, width, 3]` in [0, 1], as it was read. */
  readonly original: Tensor4D
  /** The faithful replay, which the edit is compared with. */
  readonly reconstruction: Tensor4D
  /** The edited picture. */
  readonly edited: Tensor4D
  /** Of the reconstruction, in dB against the original; `null` where they are equal. */
  readonly psnr: number | null
}

/** One picture's side of the evidence: made once for all its edits. */
export interface SourceEvidence {
  /** `[1, height, width, 3]` in [0, 1]; borrowed. */
  readonly original: Tensor4D
  /** Of the same shape; borrowed. */
  readonly reconstruction: Tensor4D
  /** The reconstruction's embedding, of length 1. */
  readonly embedding: Float32Array
  /** See {@link Evidence.psnr}. */
  readonly psnr: number | null
}

/**
 * Measures a picture and its reconstruction, once for all edits.
 *
 * @param embedder - of pictures and texts
 * @param original - `[1, height, width, 3]` in [0, 1]; borrowed for as long as the result is used
 * @param reconstruction - of the same shape; likewise
 */
export async function sourceEvidence(
  embedder: Embedder,
  original: Tensor4D,
  reconstruction: Tensor4D,
): Promise<SourceEvidence> {
  const [embedding] = await unitRows(embedder.embedImages(reconstruction), 1, 'sourceEvidence')
  const error = tf.tidy(() => tf.mean(tf.squaredDifference(original, reconstruction)))
  const [mse] = await error.data()
  error.dispose()
  const psnr = mse === 0 ? null : -10 * Math.log10(mse!)
  return { original, reconstruction, embedding: embedding!, psnr }
}

/**
 * Measures one edit: `cos(I₁, I₂)`, `cos(I₁, T₁)`, `cos(I₂, T₂)`, `cos(I₂ − I₁, T₂ − T₁)` and the edit's cosine with
 * the new and the old words, all on embeddings of length 1; I₁ is the reconstruction, not the file.
 *
 * @param embedder - of pictures and texts
 * @param source - from {@link sourceEvidence}
 * @param edited - `[1, height, width, 3]` in [0, 1]; borrowed
 * @param perturbation - the captions
 * @see Prabhu et al. 2023, "LANCE", section 3.3
 */
export async function gatherEvidence(
  embedder: Embedder,
  source: SourceEvidence,
  edited: Tensor4D,
  perturbation: Perturbation,
): Promise<Evidence> {
  const { words } = perturbation
  const newWords = [...words.inserted, ...words.replaced.map(([, to]) => to)].join(' ')
  const oldWords = [...words.deleted, ...words.replaced.map(([from]) => from)].join(' ')
  const said = [newWords, oldWords].filter((text) => text !== '')
  const texts = [perturbation.source, perturbation.target, ...said]
  const [i2] = await unitRows(embedder.embedImages(edited), 1, 'gatherEvidence')
  const [t1, t2, ...spoken] = await unitRows(embedder.embedTexts(texts), texts.length, 'gatherEvidence')
  const i1 = source.embedding
  return {
    perturbation,
    original: source.original,
    reconstruction: source.reconstruction,
    edited,
    psnr: source.psnr,
    imageImage: cosine(i1, i2!),
    sourceText: cosine(i1, t1!),
    targetText: cosine(i2!, t2!),
    directional: cosine(minus(i2!, i1), minus(t2!, t1!)),
    newWords: newWords === '' ? null : cosine(i2!, spoken[0]!),
    oldWords: oldWords === '' ? null : cosine(i2!, spoken.at(-1)!),
  }
}
