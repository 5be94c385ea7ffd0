import { type AxisWeights, axisWeights, fixedPoint, type ResizeKernel } from '../core/index.js'
import type { Raster } from './raster.js'

/** The part of the source that is resized: `[left, top, right, bottom]` in pixels, fractions allowed. */
export type Box = readonly [number, number, number, number]

/**
 * Separable resampling, columns first, then rows, as PIL does it. 8-bit pixels are rounded after each pass and equal
 * PIL's to the last level; 16-bit pixels and floats keep their fractions. Overshoot is clamped to [0, peak].
 */
export function resample(
  source: Raster,
  [height, width]: readonly [number, number],
  kernel: ResizeKernel,
  box: Box = [0, 0, source.width, source.height],
): Raster {
  // PIL keeps the box in single precision.
  const [left, top, right, bottom] = box.map(Math.fround) as [number, number, number, number]
  let raster = source
  if (width !== source.width || left !== 0 || right !== source.width) {
    const weights = axisWeights(source.width, left, right, width, kernel)
    raster = {
      ...raster,
      width,
      data: alongAxis(raster, weights, source.height, source.width, source.channels),
    }
  }
  if (height !== source.height || top !== 0 || bottom !== source.height) {
    const weights = axisWeights(source.height, top, bottom, height, kernel)
    raster = {
      ...raster,
      height,
      data: alongAxis(raster, weights, 1, source.height, width * source.channels),
    }
  }
  return raster
}

/** Resamples the middle axis of `[outer, size, inner]`. */
function alongAxis(
  { data, peak }: Raster,
  weights: AxisWeights,
  outer: number,
  size: number,
  inner: number,
): Uint8Array | Float32Array {
  const { starts } = weights
  const whole = data instanceof Uint8Array
  const taps = whole ? weights.taps.map((row) => fixedPoint(row, unit).map((w) => w / unit)) : weights.taps
  const count = outer * starts.length * inner
  const out = whole ? new Uint8Array(count) : new Float32Array(count)
  const sums = new Float64Array(inner)
  let to = 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < starts.length; i++) {
      const row = taps[i]!
      let from = (o * size + starts[i]!) * inner
      sums.fill(0)
      for (let k = 0; k < row.length; k++) {
        const weight = row[k]!
        for (let c = 0; c < inner; c++) sums[c]! += weight * data[from++]!
      }
      for (let c = 0; c < inner; c++) {
        const value = whole ? Math.floor(sums[c]! + 0.5) : sums[c]!
        out[to++] = Math.min(peak, Math.max(0, value))
      }
    }
  }
  return out
}

// PIL's 8-bit path multiplies whole numbers of this.
const unit = 2 ** 22
