import type { AlignmentDialect, StepWindow } from '../text/index.js'

/** When cross-attention is taken from the source, word by word. */
export interface CrossWindows {
  /** For every token that `words` does not name; all steps where it is left out. */
  readonly default?: StepWindow
  /** For single words or phrases of the edited prompt. */
  readonly words?: Readonly<Record<string, StepWindow>>
}

/** Words whose attention marks a region, in either prompt. */
export interface BlendWords {
  /** Words of the source prompt. */
  readonly source: readonly string[]
  /** Words of the edited prompt. */
  readonly target: readonly string[]
}

/** Confines an edit to where some words look: the words whose region may change, and what must not. */
export interface LocalBlendOptions extends BlendWords {
  /** Words whose region must not change, even where the region above covers it. */
  readonly except?: {
    /** Words of the source prompt. */
    readonly source: readonly string[]
    /** Words of the edited prompt. */
    readonly target: readonly string[]
  }
  /** The fraction of steps before the first blend; 0.2. */
  readonly start?: number
  /** The share of a map's maximum above which a pixel belongs to the region; 0.3. */
  readonly threshold?: number
  /** Side of the attention maps to use; by default a quarter of the latents', see `defaultBlendResolution`. */
  readonly resolution?: number
}

/** How much of the source's attention an edit keeps. Fractions of the sampling steps are in [0, 1]. */
export interface ControlOptions {
  /** When cross-attention is replaced: `to`, `[from, to]`, or by word; 0.8. */
  readonly crossReplace?: StepWindow | CrossWindows
  /** When self-attention is replaced: `to` or `[from, to]`; 0.4. More keeps more of the layout. */
  readonly selfReplace?: StepWindow
  /** The longest side of feature maps whose self-attention is replaced; see `defaultSelfResolution`. */
  readonly maxSelfResolution?: number
  /** Factors for the attention of words or phrases of the edited prompt: 2 doubles, 0 mutes. */
  readonly reweight?: Readonly<Record<string, number>>
  /** Confines the edit to the region of some words; the whole image may change by default. */
  readonly localBlend?: LocalBlendOptions
  /** `'google-2022'` aligns the prompts as the published code does, defects included. */
  readonly dialect?: AlignmentDialect
}

/** An attention control as plain data; `promptToPrompt` makes it act on its two prompts. */
export interface PromptControl extends ControlOptions {
  /** How the tokens of the two prompts are matched. */
  readonly kind: 'refine' | 'replace'
}

/**
 * For prompts that add, remove or change words: common tokens attend as in the source, new ones as they will.
 * The default control.
 *
 * ```ts
 * const control = refine({ crossReplace: 0.8, selfReplace: 0.4, reweight: { no: 2 } })
 * ```
 *
 * @param options - windows, weights and region
 */
export function refine(options: ControlOptions = {}): PromptControl {
  return { ...options, kind: 'refine' }
}

/**
 * For prompts with as many words as the source's, some of them swapped: each new word attends where the old
 * one did.
 *
 * ```ts
 * const control = replace({ crossReplace: { default: 0.8, words: { tiger: 0.4 } } })
 * ```
 *
 * @param options - windows, weights and region
 */
export function replace(options: ControlOptions = {}): PromptControl {
  return { ...options, kind: 'replace' }
}
