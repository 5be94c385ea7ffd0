import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { NumericError, ShapeError } from '../../core/index.js'

/**
 * Pictures and words in one space, where a cosine says how well they agree: CLIP, or a model of the field.
 * CLIP says next to nothing of X-rays; inject what does, and name it in the record.
 */
export interface Embedder {
  /** Pictures `[n, height, width, 3]` in [0, 1] (borrowed) to `[n, width]`, owned by the caller. Any length. */
  embedImages(images: Tensor4D): Tensor2D | Promise<Tensor2D>
  /** Texts to `[n, width]`, owned by the caller. Any length. */
  embedTexts(texts: readonly string[]): Tensor2D | Promise<Tensor2D>
}

/**
 * Reads embeddings and brings each to length 1.
 *
 * @param embeddings - `[n, width]`; disposed
 * @param count - how many there must be
 * @param where - the function that asked, for errors
 * @returns one array per row; a row of zeros stays zeros
 * @throws ShapeError when there are not `count` rows, NumericError when a value is not finite
 */
export async function unitRows(
  embeddings: Tensor2D | Promise<Tensor2D>,
  count: number,
  where: string,
): Promise<Float32Array[]> {
  const tensor = await embeddings
  try {
    const [rows, width] = tensor.shape
    if (tensor.rank !== 2 || rows !== count) {
      throw new ShapeError({
        rule: `${where} needs one embedding per picture or text, [${count}, width]`,
        got: `[${tensor.shape.join(', ')}]`,
        mend: 'Return a two-dimensional tensor from embedImages and embedTexts.',
      })
    }
    const values = await tensor.data<'float32'>()
    if (!values.every(Number.isFinite)) {
      throw new NumericError({
        rule: `${where} needs finite embeddings`,
        got: `${values.filter((value) => !Number.isFinite(value)).length} values that are not`,
        mend: 'Look at what the embedder makes of this picture or text.',
      })
    }
    return Array.from({ length: rows }, (_, row) => unit(values.slice(row * width, (row + 1) * width)))
  } finally {
    tensor.dispose()
  }
}

/**
 * The cosine of two vectors.
 *
 * @returns in [-1, 1]; `null` where a vector has no direction (of length 0)
 */
export function cosine(a: Float32Array, b: Float32Array): number | null {
  const length = Math.sqrt(dot(a, a) * dot(b, b))
  return length === 0 ? null : Math.max(-1, Math.min(1, dot(a, b) / length))
}

/** `a - b`, element by element. */
export function minus(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value - b[i]!)
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector))
  return length === 0 ? vector : vector.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
