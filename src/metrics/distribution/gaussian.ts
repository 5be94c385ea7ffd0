import type { Tensor2D } from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, formatShape, ShapeError } from '../../core/index.js'
import { centredFactor, covarianceFactor } from './factor.js'

/** Mean and covariance of features, the latter as a factor `F` with `FᵀF = Σ` (divisor n − 1). */
export interface GaussianSummary {
  /** How many feature vectors. */
  readonly n: number
  /** Their length. */
  readonly width: number
  /** `[width]` */
  readonly mean: Float64Array
  /** Rows of `F`, each `[width]`: at most `min(n, width)` of them. */
  readonly factor: readonly Float64Array[]
}

/** Features on their way to a {@link GaussianSummary}. */
export interface GaussianAccumulator {
  /** Adds a batch of features `[batch, width]`; borrowed. */
  add(features: Tensor2D): Promise<void>
  /** How many so far. */
  readonly n: number
  /** What has been added so far; more may follow. */
  summary(): GaussianSummary
}

/**
 * Streams features into mean and covariance, in double precision and flat memory: the vectors themselves while there
 * are no more than `width` of them (which is exact, and smaller), sums of squares after that.
 *
 * @param width - of the features: 2048 for Inception's pool
 *
 * @example
 * ```ts
 * const gaussian = gaussianAccumulator(2048)
 * for await (const { image } of pictures('real')) await gaussian.add(await inception.features(image))
 * ```
 */
export function gaussianAccumulator(width: number): GaussianAccumulator {
  expectNumber(width, { min: 1, integer: true }, 'gaussianAccumulator', 'width')
  let rows: Float64Array[] = []
  let moments: Moments | undefined
  let n = 0
  return {
    get n() {
      return n
    },
    async add(features) {
      const fresh = await featureRows(features, 'gaussianAccumulator', width)
      n += fresh.length
      if (!moments) {
        rows.push(...fresh)
        if (rows.length <= width) return
        moments = emptyMoments(meanOf(rows, width))
        for (const row of rows) addRow(moments, row)
        rows = []
      } else for (const row of fresh) addRow(moments, row)
    },
    summary() {
      if (!moments) return gaussianOf(rows, width)
      return { n, width, mean: meanFrom(moments, n), factor: covarianceFactor(covariance(moments, n), width) }
    },
  }
}

/** The summary of features that are all at hand. */
export function gaussianOf(rows: readonly Float64Array[], width: number): GaussianSummary {
  const mean = meanOf(rows, width)
  return { n: rows.length, width, mean, factor: centredFactor(rows, mean) }
}

/**
 * Features as rows in double precision, checked.
 *
 * @throws ShapeError on another width or rank, ArgumentError on NaN or infinity
 */
export async function featureRows(
  features: Tensor2D,
  where: string,
  width?: number,
): Promise<Float64Array[]> {
  const [n, found] = features.shape
  if (features.rank !== 2 || n === 0 || found === 0 || (width !== undefined && found !== width)) {
    throw new ShapeError({
      rule: `${where} needs features of shape [n, ${width ?? 'width'}], n at least 1`,
      got: formatShape(features.shape),
      mend: 'One vector per image; pool feature maps over their pixels first.',
    })
  }
  const data = Float64Array.from(await features.data())
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new ArgumentError({
      rule: `${where} needs features that are finite everywhere`,
      got: `${data[bad]} in row ${Math.floor(bad / found)}`,
      mend: 'Check the pictures of that row and the weights of the network.',
    })
  }
  return Array.from({ length: n }, (_, i) => data.subarray(i * found, (i + 1) * found))
}

function meanOf(rows: readonly Float64Array[], width: number): Float64Array {
  const mean = new Float64Array(width)
  for (const row of rows) for (let j = 0; j < width; j++) mean[j]! += row[j]! / rows.length
  return mean
}

// Sums about a fixed point near the mean: the difference of two large numbers would lose the covariance.
interface Moments {
  readonly about: Float64Array
  readonly sum: Float64Array
  readonly squares: Float64Array
}

function emptyMoments(about: Float64Array): Moments {
  const width = about.length
  return { about, sum: new Float64Array(width), squares: new Float64Array(width * width) }
}

function addRow({ about, sum, squares }: Moments, row: Float64Array): void {
  const width = row.length
  const shifted = row.map((value, j) => value - about[j]!)
  for (let i = 0; i < width; i++) {
    const value = shifted[i]!
    sum[i]! += value
    for (let j = i; j < width; j++) squares[i * width + j]! += value * shifted[j]!
  }
}

function meanFrom({ about, sum }: Moments, n: number): Float64Array {
  return about.map((value, j) => value + sum[j]! / n)
}

function covariance({ sum, squares }: Moments, n: number): Float64Array {
  const width = sum.length
  const result = new Float64Array(width * width)
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      const value = (squares[i * width + j]! - (sum[i]! * sum[j]!) / n) / (n - 1)
      result[i * width + j] = value
      result[j * width + i] = value
    }
  }
  return result
}
