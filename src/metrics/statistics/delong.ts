import { ArgumentError } from '../../core/index.js'
import { expectFinite, expectLevel, expectSameLength } from './check.js'
import { normalQuantile, normalTwoSided } from './distributions.js'
import type { Flag, Interval } from './types.js'

/** An area under the ROC curve with DeLong's variance. */
export interface AucResult {
  /** P(score of a positive > score of a negative) + ½ P(equal); NaN with one class. */
  readonly auc: number
  /** DeLong's; NaN with fewer than two positives or negatives. */
  readonly variance: number
  /** `auc ± z √variance`, cut at 0 and 1. */
  readonly interval: Interval
  /** Positives. */
  readonly positives: number
  /** Negatives. */
  readonly negatives: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * The area under the ROC curve and its variance.
 *
 * With ψ(x, y) = 1, ½ or 0 for x above, equal to or below y, over m positives X and n negatives Y:
 *
 * ```text
 * A = mean ψ(Xᵢ, Yⱼ)     V₁₀(i) = meanⱼ ψ(Xᵢ, Yⱼ)     V₀₁(j) = meanᵢ ψ(Xᵢ, Yⱼ)
 * var A = var V₁₀ / m + var V₀₁ / n
 * ```
 *
 * Cases count as independent: where patients have several pictures, resample them with {@link bootstrap}.
 *
 * @param scores - finite, higher for the positive class
 * @param labels - true or 1 for positives, parallel to `scores`
 * @param level - of the interval; 0.95
 * @throws ArgumentError on empty, unequal or not finite lists, or labels other than true, false, 1 and 0
 * @see DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014 for the midranks.
 */
export function delongAuc(
  scores: readonly number[],
  labels: readonly (boolean | number)[],
  level = 0.95,
): AucResult {
  expectLevel(level, 'delongAuc')
  const { auc, v10, v01 } = components(scores, labels, 'delongAuc')
  const variance = covariance(v10, v10) / v10.length + covariance(v01, v01) / v01.length
  const z = normalQuantile((1 + level) / 2)
  return {
    auc,
    variance,
    interval: {
      low: Math.max(0, auc - z * Math.sqrt(variance)),
      high: Math.min(1, auc + z * Math.sqrt(variance)),
      level,
      method: 'delong',
    },
    positives: v10.length,
    negatives: v01.length,
    flags: Number.isNaN(auc) ? ['one-class'] : variance === 0 ? ['zero-variance'] : [],
  }
}

/** Two areas over the same cases. */
export interface AucComparison {
  /** Of the first scores and of the second. */
  readonly auc: readonly [number, number]
  /** First minus second. */
  readonly difference: number
  /** Of the difference. */
  readonly variance: number
  /** `difference / √variance`. */
  readonly z: number
  /** Two-sided; 1 where the two score alike, NaN with one class. */
  readonly p: number
  /** Of the difference. */
  readonly interval: Interval
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * DeLong's paired comparison of two scores over the same cases: `z = (A - B) / √(var A + var B - 2 cov(A, B))`,
 * the covariance from the same components V₁₀ and V₀₁.
 *
 * @param first - scores of one classifier, finite
 * @param second - scores of the other, for the same cases in the same order
 * @param labels - true or 1 for positives
 * @param level - of the interval; 0.95
 * @throws ArgumentError as {@link delongAuc}
 */
export function delongTest(
  first: readonly number[],
  second: readonly number[],
  labels: readonly (boolean | number)[],
  level = 0.95,
): AucComparison {
  expectLevel(level, 'delongTest')
  const a = components(first, labels, 'delongTest')
  const b = components(second, labels, 'delongTest')
  const difference = a.auc - b.auc
  const d10 = a.v10.map((v, i) => v - b.v10[i]!)
  const d01 = a.v01.map((v, j) => v - b.v01[j]!)
  // var(A) + var(B) - 2 cov(A, B) is the variance of the differences of the components.
  const variance = covariance(d10, d10) / d10.length + covariance(d01, d01) / d01.length
  const z = variance === 0 ? (difference === 0 ? 0 : difference / 0) : difference / Math.sqrt(variance)
  const reach = normalQuantile((1 + level) / 2) * Math.sqrt(variance)
  return {
    auc: [a.auc, b.auc],
    difference,
    variance,
    z,
    p: normalTwoSided(z),
    interval: { low: difference - reach, high: difference + reach, level, method: 'delong' },
    flags: Number.isNaN(difference) ? ['one-class'] : variance === 0 ? ['zero-variance'] : [],
  }
}

/**
 * The area under the ROC curve alone, in O(n log n).
 *
 * @param scores - finite, higher for the positive class
 * @param labels - true or 1 for positives
 * @returns NaN with one class
 * @throws ArgumentError as {@link delongAuc}
 */
export function rocAuc(scores: readonly number[], labels: readonly (boolean | number)[]): number {
  return components(scores, labels, 'rocAuc').auc
}

function components(scores: readonly number[], labels: readonly (boolean | number)[], where: string) {
  expectFinite(scores, where, 'scores')
  expectSameLength(scores, labels, where, 'scores and labels')
  for (const [i, label] of labels.entries()) {
    if (label !== true && label !== false && label !== 0 && label !== 1) throw unlabelled(where, i, label)
  }
  const positives = scores.filter((_, i) => labels[i])
  const negatives = scores.filter((_, i) => !labels[i])
  const [m, n] = [positives.length, negatives.length]
  if (m === 0 || n === 0) return { auc: Number.NaN, v10: positives, v01: negatives }
  // Midrank among all minus midrank among one's own = how many of the other class lie below, ties half.
  const all = midranks([...positives, ...negatives])
  const [own1, own0] = [midranks(positives), midranks(negatives)]
  const v10 = positives.map((_, i) => (all[i]! - own1[i]!) / n)
  const v01 = negatives.map((_, j) => 1 - (all[m + j]! - own0[j]!) / m)
  return { auc: v10.reduce((sum, v) => sum + v, 0) / m, v10, v01 }
}

function midranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Array<number>(values.length)
  for (let i = 0, j = 0; i < order.length; i = j) {
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++
    for (let k = i; k < j; k++) ranks[order[k]!] = (i + j + 1) / 2
  }
  return ranks
}

function covariance(a: readonly number[], b: readonly number[]): number {
  if (a.length < 2) return Number.NaN
  const [ma, mb] = [a, b].map((v) => v.reduce((sum, x) => sum + x, 0) / v.length)
  return a.reduce((sum, x, i) => sum + (x - ma!) * (b[i]! - mb!), 0) / (a.length - 1)
}

function unlabelled(where: string, index: number, label: unknown): ArgumentError {
  return new ArgumentError({
    rule: `${where} needs labels of true or false (1 or 0)`,
    got: `labels[${index}] = ${String(label)}`,
    mend: 'Leave cases without a label out by name, and report how many.',
  })
}
