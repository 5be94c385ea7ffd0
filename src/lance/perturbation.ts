import type { Intervention } from '../core/index.js'
import type { WordDiff } from './word-diff.js'

/** A caption with one thing changed, and where the change came from. */
export interface Perturbation {
  /** The kind of change: `'finding'`, `'age'`, `'sex'`, … of the clinical grammar, or LANCE's `'subject'`, `'object'`, …. */
  readonly kind: string
  /** The caption before. */
  readonly source: string
  /** The caption after. */
  readonly target: string
  /** The words that changed between the two. */
  readonly words: WordDiff
  /** The intervention that the change expresses, where it is known. */
  readonly intervention?: Intervention
  /** What made it: the perturber's name, and what is needed to make it again (seed, model, rule). */
  readonly provenance: Readonly<Record<string, string | number | boolean>>
}

/** Captions to changed captions. Long-running ones (a language model) take the run options of the caller. */
export type Perturber = (caption: string) => readonly Perturbation[] | Promise<readonly Perturbation[]>
