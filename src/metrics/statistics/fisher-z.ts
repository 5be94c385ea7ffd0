import { expectNumber } from '../../core/index.js'
import { expectFinite, expectLevel, expectSameLength } from './check.js'
import { normalQuantile, normalTwoSided } from './distributions.js'
import { linearResiduals } from './least-squares.js'
import { norm } from './moments.js'
import type { Flag, Interval } from './types.js'

/** A correlation and whether it is 0. */
export interface CorrelationResult {
  /** The (partial) correlation, in [-1, 1]. */
  readonly r: number
  /** `√(n - |S| - 3) atanh r`; infinite at ±1. */
  readonly z: number
  /** Two-sided. */
  readonly p: number
  /** Of r. */
  readonly interval: Interval
  /** Rows. */
  readonly n: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * Fisher's test of a correlation: `z = √(n - |S| - 3) atanh r`, standard normal where r is 0, S what is held fixed.
 *
 * ```ts
 * fisherZ({ r: 0.3, n: 50, conditioning: 2 }).z // 2.0763
 * ```
 *
 * @param input - the correlation, the number of rows, how many variables are held fixed (0), and the level (0.95)
 * @throws ArgumentError on r outside [-1, 1], or n not above |S| + 3
 * @see Fisher 1924.
 */
export function fisherZ(input: {
  readonly r: number
  readonly n: number
  readonly conditioning?: number
  readonly level?: number
}): CorrelationResult {
  const { r, n, conditioning = 0, level = 0.95 } = input
  expectNumber(r, { min: -1, max: 1 }, 'fisherZ', 'r')
  expectNumber(conditioning, { min: 0, integer: true }, 'fisherZ', 'conditioning')
  expectNumber(n, { min: conditioning + 4, integer: true }, 'fisherZ', 'n')
  expectLevel(level, 'fisherZ')
  const root = Math.sqrt(n - conditioning - 3)
  const z = root * Math.atanh(r)
  const reach = normalQuantile((1 + level) / 2) / root
  const [low, high] = [Math.tanh(Math.atanh(r) - reach), Math.tanh(Math.atanh(r) + reach)]
  return { r, z, p: normalTwoSided(z), interval: { low, high, level, method: 'fisher-z' }, n, flags: [] }
}

/**
 * The correlation of what least squares on z leaves of x and of y, with Fisher's test.
 *
 * @param x - finite
 * @param y - parallel to x
 * @param z - one list per variable held fixed, parallel to x; none gives Pearson's correlation
 * @param level - of the interval; 0.95
 * @returns all NaN and flagged where z explains x or y entirely, or one of them is constant
 * @throws ArgumentError on unequal or not finite lists, or no more than |z| + 3 rows
 */
export function partialCorrelation(
  x: readonly number[],
  y: readonly number[],
  z: readonly (readonly number[])[] = [],
  level = 0.95,
): CorrelationResult {
  expectFinite(x, 'partialCorrelation', 'x')
  expectFinite(y, 'partialCorrelation', 'y')
  expectSameLength(x, y, 'partialCorrelation', 'x and y')
  expectNumber(x.length, { min: z.length + 4 }, 'partialCorrelation', 'the number of rows')
  const [rx, ry] = [linearResiduals(x, z), linearResiduals(y, z)]
  const [sx, sy] = [norm(rx), norm(ry)]
  if (sx <= 1e-10 * norm(x) || sy <= 1e-10 * norm(y)) {
    const interval = { low: Number.NaN, high: Number.NaN, level, method: 'fisher-z' }
    return { r: Number.NaN, z: Number.NaN, p: Number.NaN, interval, n: x.length, flags: ['collinear'] }
  }
  const r = rx.reduce((sum, value, i) => sum + (value / sx) * (ry[i]! / sy), 0)
  return fisherZ({ r: Math.max(-1, Math.min(1, r)), n: x.length, conditioning: z.length, level })
}
