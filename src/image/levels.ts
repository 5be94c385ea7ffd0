import * as tf from '@tensorflow/tfjs'
import { ArgumentError, formatShape, NumericError, ShapeError } from '../core/index.js'
import { roundHalfEven } from './checks.js'

/** A picture as whole levels, and its size. Internal to this room. */
export interface Levels<T extends Uint8Array | Uint16Array> {
  readonly data: T
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
}

/** `round(clamp(x, 0, 1) · top)` of one picture, ties to even; `out` makes the array. */
export async function toLevels<T extends Uint8Array | Uint16Array>(
  image: tf.Tensor3D | tf.Tensor4D,
  top: 255 | 65535,
  out: new (length: number) => T,
  where: string,
): Promise<Levels<T>> {
  const [height, width, channels] = singlePicture(image, where)
  const values = await image.data()
  const data = new out(values.length)
  let broken = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isFinite(value)) broken++
    // float32, as numpy multiplies: 0.5 / 255 must not become a tie that numpy does not see.
    data[i] = roundHalfEven(Math.fround(Math.min(1, Math.max(0, value)) * top))
  }
  if (broken === 0) return { data, height, width, channels }
  throw new NumericError({
    rule: `${where} needs finite pixels`,
    got: `${broken} of ${values.length} values that are NaN or infinite`,
    mend: 'Look for a guidance scale, learning rate or float16 overflow that made the network diverge.',
  })
}

/**
 * Pixels as bytes, `round(clamp(x, 0, 1) · 255)` with ties to even: what diffusers writes for the same picture.
 *
 * @param image - `[1, height, width, 1 or 3]` or `[height, width, 1 or 3]` in [0, 1]; borrowed
 * @returns interleaved bytes, row by row
 * @throws `ShapeError` for a batch, `NumericError` with the count of pixels that are not finite
 */
export async function toUint8(image: tf.Tensor3D | tf.Tensor4D): Promise<Uint8Array> {
  return (await toLevels(image, 255, Uint8Array, 'toUint8')).data
}

/**
 * Bytes as a picture, `value / 255`; the inverse of {@link toUint8}.
 *
 * @param data - interleaved bytes, row by row; borrowed
 * @param shape - `[height, width, channels]`
 * @returns `[1, height, width, channels]` in [0, 1], owned by the caller
 * @throws `ArgumentError` when the number of bytes is not height × width × channels
 */
export function fromUint8(
  data: Uint8Array | Uint8ClampedArray,
  shape: readonly [height: number, width: number, channels: number],
): tf.Tensor4D {
  const [height, width, channels] = shape
  if (data.length !== height * width * channels) {
    throw new ArgumentError({
      rule: `fromUint8 needs ${height * width * channels} bytes for ${formatShape(shape)}`,
      got: `${data.length}`,
      mend: 'The shape is [height, width, channels]; strip row padding and alpha first.',
    })
  }
  return tf.tensor4d(
    Float32Array.from(data, (v) => v / 255),
    [1, height, width, channels],
  )
}

function singlePicture(image: tf.Tensor, where: string): readonly [number, number, 1 | 3] {
  const { shape } = image
  const [height, width, channels] = shape.slice(-3)
  const single = shape.length === 3 || (shape.length === 4 && shape[0] === 1)
  if (single && height! > 0 && width! > 0 && (channels === 1 || channels === 3))
    return [height!, width!, channels]
  const batch = shape.length === 4 && shape[0]! > 1
  throw new ShapeError({
    rule: `${where} needs one picture, [1, height, width, 1 or 3] or [height, width, 1 or 3]`,
    got: formatShape(shape),
    mend: batch
      ? `Take the pictures of the batch one by one with tf.split(images, ${shape[0]}), or lay them out with sideBySide().`
      : 'Tensors here are channels-last and carry no alpha.',
  })
}
