import type { Plane } from './planes.js'

/** How local statistics are taken and stabilised. */
export interface StructureOptions {
  /** Taps of the separable window. */
  readonly window: Float64Array
  /** `1` for population covariance, `N / (N − 1)` for sample covariance. */
  readonly covarianceScale: number
  /** The width of the pixels' range, `L`. */
  readonly span: number
  /** Windows at the border that the contrast-structure mean leaves out; 0 by default. */
  readonly inset?: number
}

/** Means of the SSIM map of a pair of planes, and of its contrast-structure factor. */
export interface Structure {
  /** Mean of `(2 μx μy + C1)(2 σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2))`. */
  readonly ssim: number
  /** Mean of `(2 σxy + C2) / (σx² + σy² + C2)`. */
  readonly contrast: number
}

/**
 * SSIM over every window that lies inside the planes (Wang et al. 2004, eq. 13), `C1 = (0.01 L)²`,
 * `C2 = (0.03 L)²`, in double precision.
 *
 * Only the sum of the variances enters, so four filtered maps are enough: x, y, x² + y², xy.
 */
export function structure(x: Plane, y: Plane, options: StructureOptions): Structure {
  const { window, covarianceScale, span, inset = 0 } = options
  const { height, width } = x
  const taps = window.length
  const [rows, columns] = [height - taps + 1, width - taps + 1]
  const [c1, c2] = [(0.01 * span) ** 2, (0.03 * span) ** 2]
  const squares = new Float64Array(height * width)
  const products = new Float64Array(height * width)
  for (let i = 0; i < squares.length; i++) {
    const [a, b] = [x.data[i]!, y.data[i]!]
    squares[i] = a * a + b * b
    products[i] = a * b
  }
  const maps = [x.data, y.data, squares, products]
  const column = maps.map(() => new Float64Array(width))
  const filtered = maps.map(() => new Float64Array(columns))

  let ssim = 0
  let contrast = 0
  let counted = 0
  for (let row = 0; row < rows; row++) {
    for (let m = 0; m < 4; m++) {
      filter(maps[m]!, row * width, width, window, column[m]!)
      filter(column[m]!, 0, 1, window, filtered[m]!)
    }
    const [mx, my, mss, mxy] = filtered as [Float64Array, Float64Array, Float64Array, Float64Array]
    const inner = row >= inset && row < rows - inset
    for (let j = 0; j < columns; j++) {
      const [a, b] = [mx[j]!, my[j]!]
      const [ab, aabb] = [a * b, a * a + b * b]
      const cs = (2 * covarianceScale * (mxy[j]! - ab) + c2) / (covarianceScale * (mss[j]! - aabb) + c2)
      ssim += ((2 * ab + c1) / (aabb + c1)) * cs
      if (!inner || j < inset || j >= columns - inset) continue
      contrast += cs
      counted++
    }
  }
  return { ssim: ssim / (rows * columns), contrast: contrast / counted }
}

/**
 * `out[j] = Σₖ window[k] map[from + j + k step]`, for symmetric windows of 4 m + 3 taps (7, 11). Both arms of the
 * window at once, two taps at a time: a third of the passes over `out`.
 */
function filter(
  map: Float64Array,
  from: number,
  step: number,
  window: Float64Array,
  out: Float64Array,
): void {
  const size = out.length
  const radius = window.length >> 1
  const centre = from + radius * step
  const [w0, w1] = [window[radius]!, window[radius - 1]!]
  for (let j = 0; j < size; j++) {
    const at = centre + j
    out[j] = w0 * map[at]! + w1 * (map[at - step]! + map[at + step]!)
  }
  for (let k = 2; k < radius; k += 2) {
    const [near, far] = [k * step, (k + 1) * step]
    const [a, b] = [window[radius - k]!, window[radius - k - 1]!]
    for (let j = 0; j < size; j++) {
      const at = centre + j
      out[j]! += a * (map[at - near]! + map[at + near]!) + b * (map[at - far]! + map[at + far]!)
    }
  }
}
