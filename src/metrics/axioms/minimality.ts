import { expectNumber } from '../../core/index.js'
import { expectFinite } from '../statistics/check.js'

/** The distances that one counterfactual is compared with. */
export interface MinimalityInput {
  /** From the factual picture to its counterfactual. */
  readonly divergence: number
  /** From the factual picture to pictures of the class that it was changed to. */
  readonly toCounterfactualClass: readonly number[]
  /** From the factual picture to others of its own class. */
  readonly toFactualClass: readonly number[]
  /** Of the two terms; 0.8 and 0.2, as published. */
  readonly weights?: readonly [number, number] | undefined
}

/**
 * Minimality, as the counterfactual latent divergence: far enough to leave one's class, no farther than the nearest
 * of the other.
 *
 * `CLD = ln( w₁ exp P(S_cf ≤ div) + w₂ exp P(S_f ≥ div) )`, P the shares of the given distances. Between
 * `ln(w₁ + w₂)`, the best, and one more than that.
 *
 * @param input - one divergence and two populations of distances, all in one space (an encoder's, say)
 * @throws ArgumentError on an empty population, negative weights, or values that are not finite
 * @see Melistas et al. 2024, "Benchmarking counterfactual image generation".
 */
export function minimality(input: MinimalityInput): number {
  const { divergence, toCounterfactualClass, toFactualClass, weights = [0.8, 0.2] } = input
  expectNumber(divergence, { min: 0 }, 'minimality', 'divergence')
  expectFinite(toCounterfactualClass, 'minimality', 'toCounterfactualClass')
  expectFinite(toFactualClass, 'minimality', 'toFactualClass')
  for (const weight of weights) expectNumber(weight, { min: 0 }, 'minimality', 'every weight')
  const share = (values: readonly number[], holds: (value: number) => boolean) =>
    values.filter(holds).length / values.length
  const beyondOther = share(toCounterfactualClass, (s) => s <= divergence)
  const withinOwn = share(toFactualClass, (s) => s >= divergence)
  return Math.log(weights[0] * Math.exp(beyondOther) + weights[1] * Math.exp(withinOwn))
}
