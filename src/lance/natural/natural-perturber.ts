import { expectNumber } from '../../core/index.js'
import { CaptionError } from '../caption-error.js'
import { LANCE_KINDS, type LanceKind } from '../language-model/instructions.js'
import { distinct, type Perturbation, perturbation } from '../perturbation.js'
import { isEmptyDiff, wordDiff } from '../word-diff.js'
import { type NaturalLexicon, naturalLexicon } from './lexicon.js'
import { naturalRules } from './rules.js'

/** Options of {@link naturalPerturber}. */
export interface NaturalPerturberOptions {
  /** Kinds to make; LANCE's five and the weather. */
  readonly kinds?: readonly LanceKind[]
  /** The words to know; {@link naturalLexicon}. */
  readonly lexicon?: NaturalLexicon
  /** The most of each kind; all. */
  readonly count?: number
}

/**
 * Perturbs everyday captions by rules and word lists, one thing at a time, in LANCE's kinds. Articles and number agree;
 * a word is only replaced by words of its group, so that pronouns stay right.
 *
 * ```ts
 * const perturb = naturalPerturber({ lexicon: { ...naturalLexicon, backgrounds: ['on the moon', 'under water'] } })
 * perturb('a photo of a dog')
 * ```
 *
 * @param options - kinds and words
 * @returns a function of a caption; kinds whose words it lacks give nothing. It throws CaptionError on an empty caption.
 * @throws ArgumentError on a count that is not a whole number of at least 1
 */
export function naturalPerturber(
  options: NaturalPerturberOptions = {},
): (caption: string) => readonly Perturbation[] {
  const { kinds = LANCE_KINDS, lexicon = naturalLexicon, count } = options
  if (count !== undefined) expectNumber(count, { min: 1, integer: true }, 'naturalPerturber', 'count')
  return (source) => {
    if (source.trim() === '')
      throw new CaptionError(
        { rule: 'naturalPerturber needs a caption', got: 'an empty one', mend: 'Caption the picture first.' },
        [],
      )
    const made = kinds.flatMap((kind) =>
      naturalRules[kind](source, lexicon)
        .filter((target) => !isEmptyDiff(wordDiff(source, target)))
        .slice(0, count)
        .map((target) =>
          perturbation({ kind, source, target, provenance: { perturber: 'natural', rule: kind } }),
        ),
    )
    return distinct(made)
  }
}
