import { expectNumber } from '../../core/index.js'
import { expectFinite } from './check.js'

/**
 * The quantile of a sample, linear between order statistics (type 7 of Hyndman & Fan, numpy's default).
 *
 * @param sorted - finite, ascending
 * @param p - in [0, 1]
 * @throws ArgumentError on an empty or not finite sample, or p outside [0, 1]
 */
export function sampleQuantile(sorted: ArrayLike<number>, p: number): number {
  expectFinite(sorted, 'sampleQuantile', 'sorted')
  expectNumber(p, { min: 0, max: 1 }, 'sampleQuantile', 'p')
  const position = p * (sorted.length - 1)
  const below = Math.floor(position)
  const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!]
  return a + (b - a) * (position - below)
}
