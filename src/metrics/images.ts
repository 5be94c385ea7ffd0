import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError, formatShape, ShapeError } from '../core/index.js'

/** The least and the largest value that a pixel can have. The library's own pictures are in `[0, 1]`. */
export type PixelRange = readonly [low: number, high: number]

/** Where a metric's pixels may lie. */
export interface RangeOption {
  /** `[0, 1]` by default; `[-1, 1]` and `[0, 255]` are the others in use. */
  readonly range?: PixelRange | undefined
}

/** Pixels of a batch, checked. */
export interface Pixels {
  /** Row-major, `[batch, height, width, channels]`. */
  readonly data: Float32Array
  /** The tensor's shape. */
  readonly shape: readonly [batch: number, height: number, width: number, channels: number]
}

/** The range, checked: two finite numbers in order. */
export function pixelRange({ range = [0, 1] }: RangeOption, where: string): PixelRange {
  const [low, high] = range
  if (range.length === 2 && Number.isFinite(low) && Number.isFinite(high) && low < high) return [low, high]
  throw new ArgumentError({
    rule: `${where} needs range to be [low, high] with low < high, both finite`,
    got: JSON.stringify(range),
    mend: 'Pass [0, 1], [-1, 1] or [0, 255], whichever your pixels are in.',
  })
}

/** Asserts that a tensor is a batch of at least one picture with pixels in it. */
export function expectBatch(images: Tensor4D, where: string, what: string): void {
  if (images.rank === 4 && images.size > 0) return
  throw new ShapeError({
    rule: `${where} needs ${what} of shape [batch, height, width, channels], none of them 0`,
    got: formatShape(images.shape),
    mend: images.rank === 3 ? 'Add the batch axis: tf.expandDims(image, 0).' : 'Pass at least one picture.',
  })
}

/**
 * Downloads a batch and refuses what would become a wrong number: NaN, infinity, pixels outside the range, and
 * pictures in [0, 1] under a range of [0, 255].
 */
export async function readPixels(
  images: Tensor4D,
  range: PixelRange,
  where: string,
  what: string,
): Promise<Pixels> {
  expectBatch(images, where, what)
  const data = (await images.data()) as Float32Array
  expectInRange(data, range, where, what)
  return { data, shape: images.shape }
}

/** Both sides of a pair, checked, of one shape. */
export async function readPairs(
  images: Tensor4D,
  references: Tensor4D,
  range: PixelRange,
  where: string,
): Promise<readonly [Pixels, Pixels]> {
  expectPairs(images, references, where)
  return [
    await readPixels(images, range, where, 'images'),
    await readPixels(references, range, where, 'references'),
  ]
}

/** Asserts that two batches are pairs. */
export function expectPairs(images: Tensor4D, references: Tensor4D, where: string): void {
  expectBatch(images, where, 'images')
  expectBatch(references, where, 'references')
  if (images.shape.every((n, axis) => n === references.shape[axis])) return
  throw new ShapeError({
    rule: `${where} needs images and references of one shape, pair by pair`,
    got: `${formatShape(images.shape)} and ${formatShape(references.shape)}`,
    mend: 'Read both with the same size and channels: readImage(path, { size, channels }).',
  })
}

function expectInRange(data: Float32Array, [low, high]: PixelRange, where: string, what: string): void {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  let whole = true
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    // NaN fails both comparisons, so it is looked for by itself.
    if (!Number.isFinite(value)) throw notFinite(value, where, what)
    if (value < least) least = value
    if (value > most) most = value
    if (whole && !Number.isInteger(value)) whole = false
  }
  const slack = 1e-5 * (high - low)
  if (least < low - slack || most > high + slack) {
    throw new ArgumentError({
      rule: `${where} needs ${what} in [${low}, ${high}]`,
      got: `values from ${least} to ${most}`,
      mend: 'Say which range your pixels are in ({ range: [-1, 1] }, { range: [0, 255] }), or clip them first.',
    })
  }
  if (high < 100 || most > 1 || least < 0 || whole) return
  throw new ArgumentError({
    rule: `${where} was told that ${what} are in [${low}, ${high}]`,
    got: `fractions from ${least} to ${most}`,
    mend: 'These look like pixels in [0, 1]: leave out the range, or multiply by 255.',
  })
}

function notFinite(value: number, where: string, what: string): ArgumentError {
  return new ArgumentError({
    rule: `${where} needs ${what} that are finite everywhere`,
    got: `a pixel of ${value}`,
    mend: 'Find where it comes from; a metric of it would say nothing.',
  })
}
