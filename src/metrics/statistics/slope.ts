import { expectFinite, expectSameLength } from './check.js'
import { mean } from './moments.js'

/**
 * The slope of the least-squares line, `Σ (x - x̄)(y - ȳ) / Σ (x - x̄)²`.
 *
 * @param x - finite
 * @param y - finite, parallel
 * @returns NaN where all `x` are equal
 * @throws ArgumentError on an empty list, lists of different lengths, or values that are not finite
 */
export function slope(x: readonly number[], y: readonly number[]): number {
  expectFinite(x, 'slope', 'x')
  expectFinite(y, 'slope', 'y')
  expectSameLength(x, y, 'slope', 'x and y')
  if (x.every((value) => value === x[0])) return Number.NaN
  const [mx, my] = [mean(x), mean(y)]
  let [xy, xx] = [0, 0]
  for (const [i, value] of x.entries()) {
    xy += (value - mx) * (y[i]! - my)
    xx += (value - mx) ** 2
  }
  return xy / xx
}
