import { expectProbabilities } from './check.js'

/**
 * Benjamini and Hochberg's step-up adjustment: rejecting where it is ≤ q keeps the false discovery rate ≤ q when
 * the tests are independent or positively dependent.
 *
 * With p₍₁₎ ≤ … ≤ p₍ₘ₎: `p̃₍ᵢ₎ = min_{j ≥ i} min(1, m p₍ⱼ₎ / j)`.
 *
 * @param p - p-values in [0, 1], at least one
 * @returns adjusted p-values in the order given
 * @throws ArgumentError on an empty list or a value that is NaN or outside [0, 1]
 * @see Benjamini & Hochberg 1995.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  expectProbabilities(p, 'benjaminiHochberg', 'p')
  return stepUp(p, p.length)
}

/**
 * Benjamini and Yekutieli's adjustment: as {@link benjaminiHochberg} under any dependence, for a factor Σ 1/k.
 *
 * `p̃₍ᵢ₎ = min_{j ≥ i} min(1, m (Σₖ₌₁ᵐ 1/k) p₍ⱼ₎ / j)`.
 *
 * @param p - p-values in [0, 1], at least one
 * @returns adjusted p-values in the order given
 * @throws ArgumentError on an empty list or a value that is NaN or outside [0, 1]
 * @see Benjamini & Yekutieli 2001.
 */
export function benjaminiYekutieli(p: readonly number[]): number[] {
  expectProbabilities(p, 'benjaminiYekutieli', 'p')
  return stepUp(p, p.length * p.reduce((sum, _, k) => sum + 1 / (k + 1), 0))
}

function stepUp(p: readonly number[], factor: number): number[] {
  const order = p.map((_, i) => i).sort((a, b) => p[b]! - p[a]!)
  const adjusted = new Array<number>(p.length)
  let least = 1
  for (const [fromTop, i] of order.entries()) {
    least = Math.min(least, (factor * p[i]!) / (p.length - fromTop))
    adjusted[i] = least
  }
  return adjusted
}
