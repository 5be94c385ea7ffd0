import type { TokenizedPrompt } from '../core/index.js'
import { align } from './alignment.js'

/** Published behaviour that differs from the correct default, by date: the prompt-to-prompt code of 2022. */
export type AlignmentDialect = 'google-2022'

/** Options of the mappers. */
export interface MapperOptions {
  /** `'google-2022'` for the historic behaviour; the correct one by default. */
  readonly dialect?: AlignmentDialect | undefined
}

/** For each token slot of a target prompt, its counterpart in the source prompt. */
export interface RefineMapper {
  /** Source slot of each target slot, or -1 where the target says something new (clamp before gathering). */
  readonly mapper: number[]
  /** 1 where the source's attention is kept, 0 where the target's own is. */
  readonly alphas: number[]
}

/**
 * Aligns two prompts token by token, for edits that add, remove or change words.
 *
 * The attention of the edit is `source[mapper] * alphas + target * (1 - alphas)`, column by column.
 * Padding takes after padding, even when the target is shorter: slot `length(target) + k` from slot
 * `min(length(source) + k, 76)`. The dialect `'google-2022'` maps padding slot `j` to `j` instead, so that
 * after a deletion the target's padding takes over the attention of the deleted words.
 *
 * @param source - the prompt that describes the image
 * @param target - the prompt that describes the edit
 * @returns one entry per token slot (77)
 * @see Hertz et al. 2022, "Prompt-to-Prompt Image Editing with Cross Attention Control", section 3.2
 */
export function refineMapper(
  source: TokenizedPrompt,
  target: TokenizedPrompt,
  { dialect }: MapperOptions = {},
): RefineMapper {
  const aligned = align(source.ids.slice(0, source.length), target.ids.slice(0, target.length))
  const slots = target.ids.length
  const shift = dialect === 'google-2022' ? 0 : source.length - target.length
  const mapper = target.ids.map((_, slot) => aligned[slot] ?? Math.min(slot + shift, slots - 1))
  return { mapper, alphas: mapper.map((slot) => (slot < 0 ? 0 : 1)) }
}
