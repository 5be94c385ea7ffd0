import type { Tensor4D } from '@tensorflow/tfjs'
import type { PixelRange } from './images.js'

/** A number with what must be known to compare it: how it was computed, on what range, from how many. */
export interface MetricResult {
  /** `'ssim'`, `'fid'`, ... */
  readonly metric: string
  /** Whose definition: `'wang2004'`, `'torchmetrics-1.9'`, `'lpips-0.1/alex'`, ... */
  readonly dialect: string
  /** The range of the pixels, `null` where the metric reads features. */
  readonly range: PixelRange | null
  /** Images, or pairs of images. */
  readonly n: number
  /** The estimate; NaN where it is undefined, with a warning that says why. */
  readonly value: number
  /** One value per image (or pair); `null` for a metric of whole sets. */
  readonly perImage: readonly number[] | null
  /** What a reader must know before trusting the number; empty when there is nothing. */
  readonly warnings: readonly string[]
}

/** What a {@link PairMetric} says of itself. */
export interface PairMetricTraits {
  /** `'ssim'`, ... */
  readonly metric: string
  /** Whose definition. */
  readonly dialect: string
  /** The range that the pixels must lie in. */
  readonly range: PixelRange
  /** The value of a picture against itself; `null` where there is no such value. */
  readonly identity: number | null
  /** Whether swapping the two pictures changes nothing. */
  readonly symmetric: boolean
  /** Which way is closer to the reference. */
  readonly better: 'higher' | 'lower'
}

/**
 * A metric of pairs of pictures: a function that knows its own name, so that it can be listed, looped over and
 * written into a report.
 */
export interface PairMetric extends PairMetricTraits {
  /**
   * @param images - `[batch, height, width, channels]` in `range`; borrowed
   * @param references - the same shape, pair by pair; borrowed
   * @throws ShapeError on shapes that differ, an empty batch, or pictures too small for the metric
   * @throws ArgumentError on pixels outside the range, NaN or infinity
   */
  (images: Tensor4D, references: Tensor4D): Promise<MetricResult>
}

/** Gives a function its traits. */
export function pairMetric(
  traits: PairMetricTraits,
  score: (images: Tensor4D, references: Tensor4D) => Promise<MetricResult>,
): PairMetric {
  // A copy with own properties: functions have a `name` of their own, but none of these.
  return Object.freeze(Object.assign((x: Tensor4D, y: Tensor4D) => score(x, y), traits))
}

/** The mean; NaN of nothing. */
export function average(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}
