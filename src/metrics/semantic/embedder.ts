import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { ShapeError } from '../../core/index.js'
import { dot } from '../distribution/factor.js'
import { featureRows } from '../distribution/gaussian.js'

/** Pictures in a space where a cosine says how alike they are. */
export interface ImageEmbedder {
  /** `[n, height, width, 3]` in [0, 1] (borrowed) to `[n, width]`, owned by the caller. Any length. */
  embedImages(images: Tensor4D): Tensor2D | Promise<Tensor2D>
}

/** Texts in a space where a cosine says how alike they are. */
export interface TextEmbedder {
  /** Texts to `[n, width]`, owned by the caller. Any length. */
  embedTexts(texts: readonly string[]): Tensor2D | Promise<Tensor2D>
}

/** Embeddings of length 1; a row of zeros stays zeros, and has no direction. The tensor is disposed. */
export async function unitRows(
  embeddings: Tensor2D | Promise<Tensor2D>,
  count: number,
  where: string,
): Promise<Float64Array[]> {
  const tensor = await embeddings
  try {
    const rows = await featureRows(tensor, where)
    if (rows.length === count) return rows.map(unit)
    throw new ShapeError({
      rule: `${where} needs one embedding per input, ${count}`,
      got: `${rows.length}`,
      mend: 'The embedder must keep the order and the number of what it is given.',
    })
  } finally {
    tensor.dispose()
  }
}

/** Brings a vector to length 1, zeros excepted. */
export function unit(row: Float64Array): Float64Array {
  const length = Math.sqrt(dot(row, row))
  return length === 0 ? row.slice() : row.map((value) => value / length)
}

/** The cosine of two vectors of length 1; NaN where one is zero, for it has no direction. */
export function cosine(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) {
    throw new ShapeError({
      rule: 'A cosine needs embeddings of one width',
      got: `${a.length} and ${b.length}`,
      mend: 'Take both from one model: its two encoders share a space.',
    })
  }
  if (dot(a, a) === 0 || dot(b, b) === 0) return Number.NaN
  return Math.min(1, Math.max(-1, dot(a, b)))
}
