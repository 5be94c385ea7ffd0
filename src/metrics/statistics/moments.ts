import { expectFinite } from './check.js'

/**
 * The arithmetic mean.
 *
 * @param values - finite, at least one
 * @throws ArgumentError on an empty or not finite list
 */
export function mean(values: ArrayLike<number>): number {
  expectFinite(values, 'mean', 'values')
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

/**
 * The unbiased sample variance, `Σ (x - x̄)² / (n - 1)`.
 *
 * @param values - finite
 * @returns NaN for a single value; exactly 0 when all are equal
 * @throws ArgumentError on an empty or not finite list
 */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values)
  if (values.length < 2) return Number.NaN
  if (isConstant(values)) return 0
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2
  return sum / (values.length - 1)
}

/**
 * Whether all values are the same number up to the rounding of sums, so that a spread of 1e-17 is called none.
 *
 * @internal
 */
export function isConstant(values: ArrayLike<number>): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!)
    high = Math.max(high, values[i]!)
  }
  return high - low <= 1e-13 * Math.max(Math.abs(low), Math.abs(high))
}

/** The Euclidean length. @internal */
export function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))
}
