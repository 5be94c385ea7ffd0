import { ArgumentError, expectNumber, type RunOptions } from '../../core/index.js'
import type { LocalBlendOptions } from '../../editing/index.js'
import type { InvertibleScheduler } from '../../schedulers/index.js'
import type { Embedder } from '../gates/embedder.js'
import type { Gate } from '../gates/gate.js'

/** The self-replace values of the published code: every edit is made five times, at five times the cost. */
export const selfReplaceSweep = {
  /** LANCE's five values. */
  'lance-2023': [0.4, 0.5, 0.6, 0.7, 0.8],
} as const

/** How captions become pictures. Plain data but for the scheduler. */
export interface EditSettings {
  /** Deterministic DDIM; its steps are those of inversion and edit. */
  readonly scheduler: InvertibleScheduler
  /** `'pivot-pinned'` (default) or `'null-text'`, which costs ten times as much and is there for parity. */
  readonly inversion?: 'pivot-pinned' | 'null-text'
  /** The prompt under which a picture is walked back; the caption by default. Pivot-pinned only. */
  readonly inversionPrompt?: string
  /** Of the edit, and of null-text's optimisation; 7.5. */
  readonly guidance?: number
  /**
   * How captions are aligned: `'refine'` (default) takes any two captions. `'replace'` needs as many words in both,
   * and edits for which that does not hold are refined.
   */
  readonly control?: 'refine' | 'replace'
  /** The fraction of steps whose cross-attention comes from the source; 0.8. */
  readonly crossReplace?: number
  /**
   * Fractions of steps whose self-attention comes from the source. Every edit is made once for each, and the best
   * one that passes is kept: n values cost n times as much. `[0.4]`; see {@link selfReplaceSweep}.
   */
  readonly selfReplace?: readonly number[]
  /** Factor for the attention of the words of {@link emphasisedWords}; 2. */
  readonly editWeight?: number
  /** Confines each edit to the region of the words that changed; off by default. */
  readonly localBlend?: boolean | Omit<LocalBlendOptions, 'source' | 'target'>
  /** The fraction of steps, from the noisiest, that edits leave out; 0. Pivot-pinned only. */
  readonly skip?: number
  /**
   * The most batch rows of one call of the network (an edit takes two, and the source one); by default what fits the
   * backend's budget. Fewer rows are more calls, not more evaluations.
   */
  readonly rows?: number
}

/** Options of {@link counterfactuals}. */
export interface CounterfactualOptions extends EditSettings, RunOptions {
  /** Judges pictures and captions. */
  readonly embedder: Embedder
  /** What an edit must pass, e.g. `gatePresets['lance-2023']`; none by default, so that everything passes. */
  readonly gates?: readonly Gate[]
}

/** Edit settings with every default filled in. */
export type ResolvedSettings = Required<Omit<EditSettings, 'inversionPrompt' | 'rows'>> &
  Pick<EditSettings, 'inversionPrompt' | 'rows'>

/**
 * Fills in defaults and checks what the edit itself would find too late.
 *
 * @param settings - as the caller gave them
 * @throws ArgumentError on a number outside its range, or options of one inversion given to the other
 */
export function resolveSettings(settings: EditSettings): ResolvedSettings {
  const {
    scheduler,
    inversion = 'pivot-pinned',
    guidance = 7.5,
    control = 'refine',
    crossReplace = 0.8,
  } = settings
  const {
    selfReplace = [0.4],
    editWeight = 2,
    localBlend = false,
    skip = 0,
    inversionPrompt,
    rows,
  } = settings
  const where = 'counterfactuals'
  expectNumber(guidance, {}, where, 'guidance')
  expectNumber(editWeight, {}, where, 'editWeight')
  expectNumber(crossReplace, { min: 0, max: 1 }, where, 'crossReplace')
  expectNumber(selfReplace.length, { min: 1 }, where, 'the number of selfReplace values')
  for (const value of selfReplace) expectNumber(value, { min: 0, max: 1 }, where, 'every selfReplace')
  expectNumber(skip, { min: 0, max: 0.99 }, where, 'skip')
  if (rows !== undefined) expectNumber(rows, { min: 3, integer: true }, where, 'rows')
  if (inversion === 'null-text' && (skip > 0 || inversionPrompt !== undefined)) {
    throw new ArgumentError({
      rule: "counterfactuals needs inversion 'pivot-pinned' for skip and inversionPrompt",
      got: "'null-text'",
      mend: 'Leave them out, or use the pivot-pinned inversion.',
    })
  }
  return {
    ...{ scheduler, inversion, guidance, control, crossReplace, selfReplace, editWeight, localBlend, skip },
    ...(inversionPrompt !== undefined && { inversionPrompt }),
    ...(rows !== undefined && { rows }),
  }
}
