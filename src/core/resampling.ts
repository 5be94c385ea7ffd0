/**
 * How a picture is resized. All but `'nearest'` widen with the shrinking factor (antialias), as in PIL:
 * `'lanczos3'` = `LANCZOS`, `'cubic'` = `BICUBIC` (a = −0.5), `'linear'` = `BILINEAR`, `'nearest'` = `NEAREST`.
 */
export type ResizeKernel = 'lanczos3' | 'cubic' | 'linear' | 'nearest'

/** How one axis is resized: for every output position, the first input position that it reads, and its weights. */
export interface AxisWeights {
  /** One per output position. */
  readonly starts: readonly number[]
  /** One row per output position, from its start on; each row sums to 1. */
  readonly taps: readonly Float64Array[]
}

/**
 * The weights that map the span `[from, to)` of an axis of `size` pixels onto `outSize` pixels. Each row sums to 1:
 * a kernel that is cut off at the border is normalised again, no pixel is invented outside.
 *
 * @param size - pixels of the axis
 * @param from - where the span begins, fractions allowed
 * @param to - where it ends
 * @param outSize - pixels wanted
 * @param kernel - see {@link ResizeKernel}
 */
export function axisWeights(
  size: number,
  from: number,
  to: number,
  outSize: number,
  kernel: ResizeKernel,
): AxisWeights {
  const scale = (to - from) / outSize
  const starts: number[] = []
  const taps: Float64Array[] = []
  for (let i = 0; i < outSize; i++) {
    const centre = from + (i + 0.5) * scale
    if (kernel === 'nearest') {
      starts.push(Math.min(size - 1, Math.floor(centre)))
      taps.push(Float64Array.of(1))
      continue
    }
    const { radius, weight } = kernelFunctions[kernel]
    const stretch = Math.max(1, scale)
    const first = Math.max(0, Math.trunc(centre - radius * stretch + 0.5))
    const end = Math.min(size, Math.trunc(centre + radius * stretch + 0.5))
    const row = Float64Array.from({ length: end - first }, (_, k) =>
      weight((k + first - centre + 0.5) / stretch),
    )
    const sum = row.reduce((a, b) => a + b, 0)
    starts.push(first)
    taps.push(row.map((w) => w / sum))
  }
  return { starts, taps }
}

/**
 * Weights as whole numbers of `1 / unit`, halves away from zero: the 8-bit paths of PIL (`unit` 2²²) and of PyTorch
 * multiply whole numbers only.
 *
 * @param row - the weights of one output position
 * @param unit - a power of two
 */
export function fixedPoint(row: Float64Array, unit: number): Float64Array {
  return row.map((w) => Math.trunc(w * unit + Math.sign(w) * 0.5))
}

const kernelFunctions = {
  lanczos3: { radius: 3, weight: (x: number) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
  cubic: { radius: 2, weight: cubic },
  linear: { radius: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
} as const

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

// Keys' cubic convolution with a = -0.5 (Catmull-Rom).
function cubic(x: number): number {
  const a = -0.5
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0
}
