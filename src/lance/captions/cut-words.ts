import type { RunOptions, Tokenizer } from '../../core/index.js'
import { wordsOf } from '../../text/index.js'
import { CaptionError } from '../caption-error.js'
import type { Perturber } from '../perturbation.js'

/**
 * The words of a caption that a text encoder cannot take: CLIP reads 77 tokens, its marks included. A word that is cut
 * in two counts.
 *
 * @param tokenizer - of the model that reads the caption
 * @param caption - any text
 * @returns in caption order; empty when everything fits
 */
export function cutWords(tokenizer: Tokenizer, caption: string): string[] {
  const { truncated } = tokenizer.encode(caption)
  if (truncated.trim() === '') return []
  const lost = truncated.trim().split(/\s+/).length
  return wordsOf(tokenizer, caption)
    .map(({ word }) => word)
    .slice(-lost)
}

/**
 * Asserts that a text encoder takes a whole caption.
 *
 * @throws CaptionError with the words that would be cut off
 */
export function expectFits(tokenizer: Tokenizer, caption: string): void {
  const words = cutWords(tokenizer, caption)
  if (words.length === 0) return
  throw new CaptionError(
    {
      rule: `a caption has at most ${tokenizer.maxLength} tokens, with those that mark its start and end`,
      got: `one whose last words do not fit: ${JSON.stringify(words.join(' '))}`,
      mend: 'Shorten it: what is cut off cannot guide an edit.',
    },
    words,
  )
}

/**
 * A perturber that refuses captions that are too long for a model, and leaves out edits that are.
 *
 * @param perturber - any
 * @param tokenizer - of the model that edits
 * @returns a perturber; it throws CaptionError with the words that would be cut off
 */
export function withinLength(perturber: Perturber, tokenizer: Tokenizer): Perturber {
  return async (caption: string, run?: RunOptions) => {
    expectFits(tokenizer, caption)
    const made = await perturber(caption, run)
    return made.filter(({ target }) => cutWords(tokenizer, target).length === 0)
  }
}
