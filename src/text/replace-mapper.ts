import { ArgumentError, type Tokenizer } from '../core/index.js'
import type { MapperOptions } from './refine-mapper.js'
import { wordsOf } from './words.js'

/**
 * Maps attention from the words of one prompt to those of another with as many words, for edits that swap words.
 *
 * The attention of the edit is `source . M`. A word with as many tokens as its replacement passes them on one to
 * one; otherwise each of its tokens spreads evenly over the replacement's. Every row sums to one, so no attention
 * is lost. The dialect `'google-2022'` writes what follows the last changed word on the diagonal, which is
 * misaligned when the changed words have other token counts, and loses attention.
 *
 * @param source - the prompt that describes the image
 * @param target - the prompt that describes the edit
 * @returns 77 x 77, row-major: row = source token, column = target token
 * @throws ArgumentError when the prompts have different word counts
 * @see Hertz et al. 2022, "Prompt-to-Prompt Image Editing with Cross Attention Control", section 3.2
 */
export function replaceMapper(
  tokenizer: Tokenizer,
  source: string,
  target: string,
  { dialect }: MapperOptions = {},
): Float32Array {
  const before = wordsOf(tokenizer, source)
  const after = wordsOf(tokenizer, target)
  if (before.length !== after.length) {
    throw new ArgumentError({
      rule: 'replaceMapper needs two prompts with the same number of words',
      got: `${before.length} words in ${JSON.stringify(source)} and ${after.length} in ${JSON.stringify(target)}`,
      mend: 'Use refineMapper for edits that add or remove words.',
    })
  }
  const slots = tokenizer.maxLength
  const matrix = new Float32Array(slots * slots)
  const set = (row: number, column: number, weight: number) => {
    matrix[row * slots + column] = weight
  }

  set(0, 0, 1)
  let row = 1
  let column = 1
  const changed = after.findLastIndex(({ word }, i) => word !== before[i]!.word)
  for (let i = 0; i <= changed; i++) {
    const rows = before[i]!.tokens
    const columns = after[i]!.tokens
    if (rows.length === 0 || columns.length === 0) break // cut off: what is left goes to EOS
    if (rows.length === columns.length) rows.forEach((from, k) => void set(from, columns[k]!, 1))
    else for (const from of rows) for (const to of columns) set(from, to, 1 / columns.length)
    row = rows.at(-1)! + 1
    column = columns.at(-1)! + 1
  }

  if (dialect === 'google-2022') {
    for (; row < slots && column < slots; row++, column++) set(column, column, 1)
    return matrix
  }
  const last = slots - 1
  for (; row < last; row++, column++) set(row, Math.min(column, last), 1)
  // The tails may differ in length: surplus rows have met in the last column, surplus columns share the last row.
  for (let to = Math.min(column, last); to < slots; to++) set(last, to, 1 / (slots - Math.min(column, last)))
  return matrix
}
