import { expectNumber, type Tokenizer } from '../core/index.js'
import { tokensOfWord } from './words.js'

/**
 * The factor of each token's attention: the weight of its word, 1 elsewhere. All tokens of a word get its weight.
 *
 * @param target - the prompt that describes the edit
 * @param weights - word or phrase to factor: above 1 strengthens, below 1 weakens, 0 removes; where two phrases
 *   share a token, the later one counts
 * @returns one factor per token slot (77)
 * @throws ArgumentError when a word does not occur in `target`, or a weight is not a finite number
 * @see Hertz et al. 2022, "Prompt-to-Prompt Image Editing with Cross Attention Control", section 3.2
 */
export function reweightVector(
  tokenizer: Tokenizer,
  target: string,
  weights: Readonly<Record<string, number>>,
): Float32Array {
  const factors = new Float32Array(tokenizer.maxLength).fill(1)
  for (const [word, weight] of Object.entries(weights)) {
    expectNumber(weight, {}, 'reweightVector', `the weight of ${JSON.stringify(word)}`)
    for (const token of tokensOfWord(tokenizer, target, word)) factors[token] = weight
  }
  return factors
}
