/**
 * Smooths a map with a normalised Gaussian cut off at three deviations; the edge is repeated outside.
 *
 * @param values - row by row
 * @param sigma - deviation in pixels; 0 returns the values unchanged
 */
export function gaussianBlur(
  values: Float32Array,
  height: number,
  width: number,
  sigma: number,
): Float32Array {
  if (sigma === 0) return values
  const radius = Math.ceil(3 * sigma)
  const weights = Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius) ** 2) / (2 * sigma ** 2)),
  )
  const sum = weights.reduce((a, b) => a + b, 0)
  const along = (source: Float32Array, at: (y: number, x: number, offset: number) => number): Float32Array =>
    source.map((_, i) => {
      const y = Math.floor(i / width)
      const x = i % width
      return weights.reduce((total, w, k) => total + w * source[at(y, x, k - radius)]!, 0) / sum
    })
  const rows = along(values, (y, x, offset) => y * width + clamp(x + offset, width))
  return along(rows, (y, x, offset) => clamp(y + offset, height) * width + x)
}

function clamp(position: number, size: number): number {
  return Math.min(size - 1, Math.max(0, position))
}
