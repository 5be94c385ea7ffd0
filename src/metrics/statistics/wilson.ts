import { expectNumber } from '../../core/index.js'
import { expectLevel } from './check.js'
import { normalQuantile } from './distributions.js'
import type { Interval } from './types.js'

/** A share of independent cases, and how sure it is. */
export interface ShareResult {
  /** `hits / n`, in [0, 1]. */
  readonly share: number
  /** Within [0, 1], and of positive width even at a share of 0 or 1. */
  readonly interval: Interval
  /** Cases. */
  readonly n: number
}

/**
 * Wilson's score interval of a share: all p with `|k/n - p| ≤ z √(p (1 - p) / n)`, which is
 *
 * ```text
 * (k + z²/2 ∓ z √(k (n - k) / n + z²/4)) / (n + z²)     z = Φ⁻¹((1 + level) / 2)
 * ```
 *
 * Cases are independent: one per patient. Where patients have several, use `bootstrap` with their ids.
 *
 * ```ts
 * wilson(46, 50).interval // 0.812 to 0.968
 * ```
 *
 * @param hits - how many cases, 0 to n
 * @param n - of how many, at least 1
 * @param level - nominal coverage; 0.95
 * @throws ArgumentError on counts that are no whole numbers in those ranges, or a level outside (0, 1)
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference"
 */
export function wilson(hits: number, n: number, level = 0.95): ShareResult {
  expectNumber(n, { min: 1, integer: true }, 'wilson', 'n')
  expectNumber(hits, { min: 0, max: n, integer: true }, 'wilson', 'hits')
  expectLevel(level, 'wilson')
  const z = normalQuantile((1 + level) / 2)
  const centre = hits + z ** 2 / 2
  const half = z * Math.sqrt((hits * (n - hits)) / n + z ** 2 / 4)
  // At the ends the bound is the end itself, not a rounding error beside it.
  const low = hits === 0 ? 0 : (centre - half) / (n + z ** 2)
  const high = hits === n ? 1 : (centre + half) / (n + z ** 2)
  return { share: hits / n, interval: { low, high, level, method: 'wilson' }, n }
}
