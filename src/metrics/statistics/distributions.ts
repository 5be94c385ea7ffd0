import erfc from '@stdlib/math-base-special-erfc'
import erfcinv from '@stdlib/math-base-special-erfcinv'
import gammainc from '@stdlib/math-base-special-gammainc'
import studentCdf from '@stdlib/stats-base-dists-t-cdf'
import { expectNumber } from '../../core/index.js'

// Tails are computed as such, never as 1 - p: a p-value of 1e-20 keeps its digits.

/**
 * P(Z ≤ z) of a standard normal: `erfc(-z / √2) / 2`, within 1e-12 relative in both tails.
 *
 * @param z - any number
 * @returns a probability; NaN for NaN
 */
export function normalCdf(z: number): number {
  return erfc(-z / Math.SQRT2) / 2
}

/**
 * The z with P(Z ≤ z) = p: `-√2 erfcinv(2p)`.
 *
 * @param p - in [0, 1]; 0 and 1 give -∞ and ∞
 * @throws ArgumentError outside [0, 1]
 */
export function normalQuantile(p: number): number {
  expectNumber(p, { min: 0, max: 1 }, 'normalQuantile', 'p')
  return p === 0.5 ? 0 : -Math.SQRT2 * erfcinv(2 * p)
}

/**
 * The two-sided p-value of a standard normal statistic: `erfc(|z| / √2)`.
 *
 * @param z - the statistic; infinite gives 0
 */
export function normalTwoSided(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2)
}

/**
 * P(T ≤ t) of Student's t with `df` degrees of freedom. The upper tail is `studentTCdf(-t, df)`.
 *
 * @param t - any number
 * @param df - positive
 * @throws ArgumentError on degrees of freedom that are not positive
 */
export function studentTCdf(t: number, df: number): number {
  expectNumber(df, { min: Number.MIN_VALUE }, 'studentTCdf', 'df')
  if (!Number.isFinite(t)) return t > 0 ? 1 : t < 0 ? 0 : Number.NaN
  return studentCdf(t, df)
}

/**
 * The t with P(T ≤ t) = p of Student's t with `df` degrees of freedom.
 *
 * @param p - in [0, 1]; 0 and 1 give -∞ and ∞
 * @param df - positive
 * @throws ArgumentError outside those ranges
 */
export function studentTQuantile(p: number, df: number): number {
  expectNumber(p, { min: 0, max: 1 }, 'studentTQuantile', 'p')
  expectNumber(df, { min: Number.MIN_VALUE }, 'studentTQuantile', 'df')
  if (p === 0.5) return 0
  if (p > 0.5) return -lowerTail(1 - p, df) // the density is even, and small tails are the exact ones
  return lowerTail(p, df)
}

function lowerTail(p: number, df: number): number {
  if (p === 0) return Number.NEGATIVE_INFINITY
  return invert((t) => studentCdf(-t, df) - p, -1) * -1
}

/**
 * P(X ≤ x) of chi-squared with `df` degrees of freedom: the regularised incomplete gamma P(df/2, x/2).
 *
 * @param x - any number; 0 below 0
 * @param df - positive
 * @param upper - P(X > x) instead, for p-values; false
 * @throws ArgumentError on degrees of freedom that are not positive
 */
export function chiSquareCdf(x: number, df: number, upper = false): number {
  expectNumber(df, { min: Number.MIN_VALUE }, 'chiSquareCdf', 'df')
  if (Number.isNaN(x)) return Number.NaN
  if (x <= 0) return upper ? 1 : 0
  if (x === Number.POSITIVE_INFINITY) return upper ? 0 : 1
  return gammainc(x / 2, df / 2, true, upper)
}

/**
 * The x with P(X ≤ x) = p of chi-squared with `df` degrees of freedom.
 *
 * @param p - in [0, 1]
 * @param df - positive
 * @throws ArgumentError outside those ranges
 */
export function chiSquareQuantile(p: number, df: number): number {
  expectNumber(p, { min: 0, max: 1 }, 'chiSquareQuantile', 'p')
  expectNumber(df, { min: Number.MIN_VALUE }, 'chiSquareQuantile', 'df')
  if (p === 0) return 0
  if (p === 1) return Number.POSITIVE_INFINITY
  return p < 0.5
    ? invert((x) => chiSquareCdf(x, df) - p, 1)
    : invert((x) => 1 - p - chiSquareCdf(x, df, true), 1)
}

// The positive root of a monotone function by bisection of its logarithm: 200 halvings reach the last bit.
function invert(f: (x: number) => number, direction: 1 | -1): number {
  let [low, high] = [1e-300, 1e300]
  for (let i = 0; i < 200 && high / low > 1 + 1e-16; i++) {
    const middle = Math.sqrt(low) * Math.sqrt(high)
    if (middle <= low || middle >= high) break
    if (f(middle) * direction < 0) low = middle
    else high = middle
  }
  return Math.sqrt(low) * Math.sqrt(high)
}
