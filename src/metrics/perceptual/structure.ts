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
      filterDown(maps[m]!, row * width, width, window, column[m]!)
      filterAcross(column[m]!, window, filtered[m]!)
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

function filterDown(
  map: Float64Array,
  from: number,
  width: number,
  window: Float64Array,
  out: Float64Array,
): void {
  out.fill(0)
  for (let k = 0; k < window.length; k++) {
    const weight = window[k]!
    const start = from + k * width
    for (let j = 0; j < width; j++) out[j]! += weight * map[start + j]!
  }
}

function filterAcross(row: Float64Array, window: Float64Array, out: Float64Array): void {
  const taps = window.length
  for (let j = 0; j < out.length; j++) {
    let sum = 0
    for (let k = 0; k < taps; k++) sum += window[k]! * row[j + k]!
    out[j] = sum
  }
}
