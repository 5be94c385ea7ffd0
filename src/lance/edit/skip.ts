import type { Tokenizer } from '../../core/index.js'
import type { Perturbation } from '../perturbation.js'

/**
 * Why an edit would change nothing, so that no network need be asked.
 *
 * @param tokenizer - of the model that edits
 * @param perturbation - its captions
 * @returns `undefined` when the text encoder sees two different captions
 */
export function whyUnchanged(tokenizer: Tokenizer, { source, target }: Perturbation): string | undefined {
  const [before, after] = [tokenizer.encode(source), tokenizer.encode(target)]
  if (before.ids.some((id, i) => id !== after.ids[i])) return undefined
  if (source === target) return 'the caption did not change'
  if (before.truncated === '' && after.truncated === '')
    return 'the captions are the same to the text encoder (case and spaces do not count)'
  return `the captions differ only beyond the text encoder's ${tokenizer.maxLength} tokens, in: ${after.truncated || before.truncated}`
}
