import { expectProbabilities } from './check.js'

/**
 * Holm's step-down adjustment: controls the chance of any false claim, under any dependence.
 *
 * With p₍₁₎ ≤ … ≤ p₍ₘ₎: `p̃₍ᵢ₎ = max_{j ≤ i} min(1, (m - j + 1) p₍ⱼ₎)`.
 *
 * @param p - p-values in [0, 1], at least one
 * @returns adjusted p-values in the order given
 * @throws ArgumentError on an empty list or a value that is NaN or outside [0, 1]
 * @see Holm 1979.
 */
export function holm(p: readonly number[]): number[] {
  expectProbabilities(p, 'holm', 'p')
  const order = p.map((_, i) => i).sort((a, b) => p[a]! - p[b]!)
  const adjusted = new Array<number>(p.length)
  let worst = 0
  for (const [rank, i] of order.entries()) {
    worst = Math.max(worst, Math.min(1, (p.length - rank) * p[i]!))
    adjusted[i] = worst
  }
  return adjusted
}
