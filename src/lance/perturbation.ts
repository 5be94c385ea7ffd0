import { ArgumentError, type Intervention, type RunOptions } from '../core/index.js'
import { isEmptyDiff, type WordDiff, wordDiff } from './word-diff.js'

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

/** Captions to changed captions. Long-running ones (a language model) heed the run options of the caller. */
export type Perturber = (
  caption: string,
  run?: RunOptions,
) => readonly Perturbation[] | Promise<readonly Perturbation[]>

/**
 * A perturbation with its word diff.
 *
 * ```ts
 * perturbation({ kind: 'finding', source: 'X-ray with edema', target: 'X-ray with no edema', provenance: { by: 'hand' } })
 * ```
 *
 * @param parts - all but the words
 * @throws ArgumentError when both captions have the same words: such an edit would change nothing
 */
export function perturbation(parts: Omit<Perturbation, 'words'>): Perturbation {
  const words = wordDiff(parts.source, parts.target)
  if (!isEmptyDiff(words)) return { ...parts, words }
  throw new ArgumentError({
    rule: 'a perturbation changes at least one word of its caption',
    got: `${JSON.stringify(parts.source)} and ${JSON.stringify(parts.target)}, which say the same`,
    mend: 'Change a word; case, spaces and punctuation do not count.',
  })
}

/**
 * Asserts that no two perturbations lead to the same caption: their records could not be told apart.
 *
 * @param perturbations - of one picture
 * @throws ArgumentError naming the caption that occurs twice
 */
export function expectDistinct(perturbations: readonly Perturbation[]): void {
  const seen = new Set<string>()
  for (const { target } of perturbations) {
    if (seen.has(target))
      throw new ArgumentError({
        rule: 'the perturbations of one caption lead to different captions',
        got: `${JSON.stringify(target)} twice`,
        mend: 'Leave one of them out, or use distinct().',
      })
    seen.add(target)
  }
}

/** The first perturbation of each target caption. */
export function distinct(perturbations: readonly Perturbation[]): Perturbation[] {
  const byTarget = new Map<string, Perturbation>()
  for (const one of perturbations) if (!byTarget.has(one.target)) byTarget.set(one.target, one)
  return [...byTarget.values()]
}
