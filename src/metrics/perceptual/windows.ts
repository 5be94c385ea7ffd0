/** A Gaussian of `size` taps that sum to 1: the outer product of two is the 2-D window of SSIM. */
export function gaussianWindow(size: number, sigma: number): Float64Array {
  const taps = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2),
  )
  const sum = taps.reduce((a, b) => a + b, 0)
  return taps.map((tap) => tap / sum)
}

/** `size` equal taps that sum to 1. */
export function uniformWindow(size: number): Float64Array {
  return new Float64Array(size).fill(1 / size)
}
