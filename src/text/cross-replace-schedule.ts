import { ArgumentError, expectNumber, type Tokenizer } from '../core/index.js'
import { tokensOfWord } from './words.js'

/** A part of the sampling steps, as fractions of their number: `[from, to]`, or `to` for `[0, to]`. */
export type StepWindow = number | readonly [from: number, to: number]

/** When cross-attention is replaced. */
export interface CrossReplaceOptions {
  /** Number of sampling steps. */
  readonly steps: number
  /** The window of every token that no word of `words` names; all steps by default. */
  readonly default?: StepWindow | undefined
  /** Windows of single words or phrases of the target prompt. */
  readonly words?: Readonly<Record<string, StepWindow>> | undefined
}

/**
 * At which steps the attention of which token is taken from the source prompt: 1 in rows
 * `floor(from (steps + 1)) <= row < floor(to (steps + 1))`, 0 elsewhere.
 *
 * @param options - the number of steps, and windows as fractions in [0, 1]
 * @param tokenizer - of the model that samples
 * @param target - the prompt that describes the edit
 * @returns `steps + 1` rows (row = index of the sampling step) of one entry per token slot (77)
 * @throws ArgumentError when a window is not inside [0, 1], or a word does not occur in `target`
 * @see Hertz et al. 2022, "Prompt-to-Prompt Image Editing with Cross Attention Control", section 3.2
 */
export function crossReplaceSchedule(
  options: CrossReplaceOptions,
  tokenizer: Tokenizer,
  target: string,
): number[][] {
  expectNumber(options.steps, { min: 1, integer: true }, 'crossReplaceSchedule', 'steps')
  const rows = options.steps + 1
  const schedule = Array.from({ length: rows }, () => new Array<number>(tokenizer.maxLength).fill(0))
  const write = (window: StepWindow, tokens: readonly number[], name: string) => {
    const [from, to] = readWindow(window, name)
    const first = Math.floor(from * rows)
    const end = Math.floor(to * rows)
    for (const [row, alphas] of schedule.entries()) {
      for (const token of tokens) alphas[token] = row >= first && row < end ? 1 : 0
    }
  }
  write(options.default ?? 1, [...schedule[0]!.keys()], 'the default window')
  for (const [word, window] of Object.entries(options.words ?? {})) {
    write(window, tokensOfWord(tokenizer, target, word), `the window of ${JSON.stringify(word)}`)
  }
  return schedule
}

function readWindow(window: StepWindow, name: string): readonly [number, number] {
  const [from, to] = typeof window === 'number' ? [0, window] : window
  for (const bound of [from, to]) expectNumber(bound, { min: 0, max: 1 }, 'crossReplaceSchedule', name)
  if (from <= to) return [from, to]
  throw new ArgumentError({
    rule: `crossReplaceSchedule needs ${name} to start before it ends`,
    got: `[${from}, ${to}]`,
    mend: 'Give the earlier fraction first.',
  })
}
