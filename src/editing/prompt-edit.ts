import type { Tensor4D } from '@tensorflow/tfjs'
import type { RunOptions } from '../core/index.js'
import type { PromptControl } from './prompt-control.js'

/** What all edits of one run share. */
export interface EditingOptions extends RunOptions {
  /** The guidance scale of the edit; by default the inversion's own if above 1, else 7.5. */
  readonly guidance?: number
  /**
   * The prompt that the edit is guided away from. By default what the inversion stored for the step, else the
   * empty prompt. The source prompt itself makes guidance act on the difference of the two prompts alone.
   */
  readonly negativePrompt?: string
  /**
   * Which branches of a pivot-pinned inversion are set right after each step: `'source'` as published, or
   * `'both'`, which moves the edit by the same offset `pivot − step(source)`.
   */
  readonly pin?: 'source' | 'both'
  /**
   * The fraction of the steps, from the noisiest, that the edits leave out: they start from the inversion's pivot
   * there. More keeps more of the image that the prompts do not name, less lets the edit change larger shapes; 0.
   */
  readonly skip?: number
}

/** One edit: what the image should be described by, and how much of its attention to keep. */
export interface PromptEditRequest {
  /** Describes the edited image. */
  readonly prompt: string
  /** By default `refine()` with its defaults. */
  readonly control?: PromptControl
}

/** Options of `promptToPrompt`. */
export interface PromptToPromptOptions extends EditingOptions, PromptEditRequest {}

/** Options of `promptToPromptMany`. */
export interface PromptToPromptManyOptions extends EditingOptions {
  /** The edits, at least one. */
  readonly edits: readonly PromptEditRequest[]
  /**
   * The most batch rows that one call of the network may have; by default there is no limit, and one call a step. A
   * guided edit takes two. What does not fit is evaluated in further calls, which read the source's attention from
   * the first: the evaluations stay the same.
   */
  readonly rows?: number
}

/** How many attention maps a control has rewritten. */
export interface RewrittenMaps {
  /** Image to prompt. */
  readonly cross: number
  /** Image to image. */
  readonly self: number
}

/** One edited image. The tensors belong to the caller. */
export interface EditedImage {
  /** `[1, height, width, 3]` in [0, 1], of the original size. */
  readonly image: Tensor4D
  /** The latents it was decoded from, `[1, height, width, channels]`. */
  readonly latents: Tensor4D
  /** The prompt of the edit. */
  readonly prompt: string
  /** The end of the prompt that the text encoder could not take; empty when everything fitted. */
  readonly truncated: string
  /** Attention maps that were rewritten, over all steps. */
  readonly rewritten: {
    /** Cross-attention maps. */
    readonly cross: number
    /** Self-attention maps. */
    readonly self: number
  }
}

/** What `promptToPrompt` returns. The tensors belong to the caller. */
export interface PromptEdit extends EditedImage {
  /** Batch rows that the network evaluated, without those of the inversion. */
  readonly evaluations: number
}

/** What `promptToPromptMany` returns. */
export interface PromptEdits {
  /** In the order of the requests. */
  readonly edits: readonly EditedImage[]
  /** Batch rows that the network evaluated for all edits, without those of the inversion. */
  readonly evaluations: number
}
