/** Rows less their mean, over √(n − 1): a factor of the sample covariance. Nothing for a single row. */
export function centredFactor(rows: readonly Float64Array[], mean: Float64Array): Float64Array[] {
  if (rows.length < 2) return []
  const scale = 1 / Math.sqrt(rows.length - 1)
  return rows.map((row) => row.map((value, j) => (value - mean[j]!) * scale))
}

/**
 * Pivoted Cholesky: rows `F` with `FᵀF = Σ`, stopping where nothing but rounding is left (so a rank-deficient Σ is
 * no obstacle, and nothing has to be added to its diagonal).
 *
 * @param sigma - `[width, width]`, symmetric and positive semi-definite; overwritten
 */
export function covarianceFactor(sigma: Float64Array, width: number): Float64Array[] {
  const diagonal = Float64Array.from({ length: width }, (_, i) => sigma[i * width + i]!)
  const floor = width * 2 ** -52 * diagonal.reduce((a, b) => Math.max(a, b), 0)
  const rows: Float64Array[] = []
  for (let step = 0; step < width; step++) {
    let pivot = 0
    for (let i = 1; i < width; i++) if (diagonal[i]! > diagonal[pivot]!) pivot = i
    if (!(diagonal[pivot]! > floor)) break
    const root = Math.sqrt(diagonal[pivot]!)
    const row = sigma.slice(pivot * width, (pivot + 1) * width)
    for (const earlier of rows) {
      const weight = earlier[pivot]!
      if (weight !== 0) for (let j = 0; j < width; j++) row[j]! -= weight * earlier[j]!
    }
    for (let j = 0; j < width; j++) {
      row[j]! /= root
      diagonal[j]! -= row[j]! ** 2
    }
    diagonal[pivot] = 0
    rows.push(row)
  }
  return rows
}

/** The inner product, in four running sums, which keeps both the rounding and the time down. */
export function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  const whole = a.length - (a.length % 4)
  for (let k = 0; k < whole; k += 4) {
    s0 += a[k]! * b[k]!
    s1 += a[k + 1]! * b[k + 1]!
    s2 += a[k + 2]! * b[k + 2]!
    s3 += a[k + 3]! * b[k + 3]!
  }
  for (let k = whole; k < a.length; k++) s0 += a[k]! * b[k]!
  return s0 + s1 + (s2 + s3)
}
