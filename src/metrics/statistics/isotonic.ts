import { expectNumber } from '../../core/index.js'
import { expectFinite, expectSameLength } from './check.js'

/**
 * The non-decreasing sequence nearest to `values` in weighted least squares, by pooling adjacent violators.
 *
 * `argmin Σ wᵢ (fᵢ - yᵢ)²  subject to  f₁ ≤ f₂ ≤ …`
 *
 * @param values - finite, in the order of the dose
 * @param weights - positive, parallel; all 1
 * @returns the fit, parallel to `values`
 * @throws ArgumentError on an empty list, lists of different lengths, or weights that are not positive
 * @see Ayer et al. 1955; Barlow et al. 1972.
 */
export function isotonic(values: readonly number[], weights?: readonly number[]): number[] {
  expectFinite(values, 'isotonic', 'values')
  if (weights) expectSameLength(values, weights, 'isotonic', 'values and weights')
  for (const w of weights ?? []) expectNumber(w, { min: Number.MIN_VALUE }, 'isotonic', 'every weight')
  const blocks: { mean: number; weight: number; count: number }[] = []
  for (const [i, value] of values.entries()) {
    let block = { mean: value, weight: weights?.[i] ?? 1, count: 1 }
    while (blocks.length > 0 && blocks.at(-1)!.mean >= block.mean) {
      const before = blocks.pop()!
      const weight = before.weight + block.weight
      const mean = (before.mean * before.weight + block.mean * block.weight) / weight
      block = { mean, weight, count: before.count + block.count }
    }
    blocks.push(block)
  }
  return blocks.flatMap(({ mean, count }) => new Array<number>(count).fill(mean))
}
