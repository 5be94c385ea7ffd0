import type { Pixels } from '../images.js'

/** One channel of one picture, in double precision, row by row. */
export interface Plane {
  /** `height × width` values. */
  readonly data: Float64Array
  /** Rows. */
  readonly height: number
  /** Columns. */
  readonly width: number
}

/** One channel of one picture of a batch. */
export function planeOf({ data, shape }: Pixels, picture: number, channel: number): Plane {
  const [, height, width, channels] = shape
  const plane = new Float64Array(height * width)
  let from = picture * height * width * channels + channel
  for (let i = 0; i < plane.length; i++, from += channels) plane[i] = data[from]!
  return { data: plane, height, width }
}

/** Mirrors the border without repeating the edge, `c b | a b c | b a`: PyTorch's `mode="reflect"`. */
export function reflect({ data, height, width }: Plane, pad: number): Plane {
  const outer = { height: height + 2 * pad, width: width + 2 * pad }
  const out = new Float64Array(outer.height * outer.width)
  const mirror = (i: number, size: number) => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i)
  for (let y = 0; y < outer.height; y++) {
    const row = mirror(y - pad, height) * width
    for (let x = 0; x < outer.width; x++) out[y * outer.width + x] = data[row + mirror(x - pad, width)]!
  }
  return { data: out, ...outer }
}

/** The mean of every 2 × 2 block; an odd last row or column is dropped, as PyTorch's `avg_pool2d` does. */
export function halve({ data, height, width }: Plane): Plane {
  const [h, w] = [height >> 1, width >> 1]
  const out = new Float64Array(h * w)
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = 2 * y * width + 2 * x
      out[y * w + x] = (data[from]! + data[from + 1]! + data[from + width]! + data[from + width + 1]!) / 4
    }
  }
  return { data: out, height: h, width: w }
}
