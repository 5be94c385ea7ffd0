import { alignWords } from './words/align-words.js'
import { ndiffWords } from './words/ndiff-words.js'

/** What changed between two captions, word by word. */
export interface WordDiff {
  /** Words of the source that the target lacks and nothing stands for. */
  readonly deleted: readonly string[]
  /** Words of the target that the source lacks and that stand for nothing. */
  readonly inserted: readonly string[]
  /** Runs of words that changed places: `[source, target]`. */
  readonly replaced: readonly (readonly [string, string])[]
}

/** Options of {@link wordDiff}. */
export interface WordDiffOptions {
  /**
   * `'lance-2023'` gives what LANCE's published code extracts, its debris included: one run of words for the
   * original and one for the edit, read off the lines of Python's `ndiff` (defects: an unchanged word with a hyphen
   * counts as changed, a guide line counts as a word, and of several changes only the longest is kept).
   */
  readonly dialect?: 'lance-2023'
}

/**
 * What changed between two captions, by the longest common subsequence of their words.
 *
 * Words are split at white space; case and punctuation at their edges do not make a difference, and are not part of
 * what is returned. Where words of both captions stand between the same neighbours they replace each other, unless
 * one side has function words alone: `no` does not stand for `cardiomegaly and`.
 *
 * ```ts
 * wordDiff('Chest X-ray with cardiomegaly and support devices', 'Chest X-ray with no cardiomegaly')
 * // { deleted: ['and', 'support', 'devices'], inserted: ['no'], replaced: [] }
 * ```
 *
 * @param source - the caption before
 * @param target - the caption after
 * @param options - the dialect
 * @returns all three empty when the captions say the same words
 */
export function wordDiff(source: string, target: string, options: WordDiffOptions = {}): WordDiff {
  if (options.dialect === 'lance-2023') return historicDiff(source, target)
  const deleted: string[] = []
  const inserted: string[] = []
  const replaced: (readonly [string, string])[] = []
  for (const { kind, from, to } of alignWords(source, target)) {
    if (kind === 'deleted') deleted.push(...from)
    else if (kind === 'inserted') inserted.push(...to)
    else if (kind === 'replaced') replaced.push([from.join(' '), to.join(' ')])
  }
  return { deleted, inserted, replaced }
}

/** Whether a diff holds any change. */
export function isEmptyDiff({ deleted, inserted, replaced }: WordDiff): boolean {
  return deleted.length + inserted.length + replaced.length === 0
}

function historicDiff(source: string, target: string): WordDiff {
  const { original, edit } = ndiffWords(source, target)
  if (original !== '' && edit !== '') return { deleted: [], inserted: [], replaced: [[original, edit]] }
  return { deleted: original ? [original] : [], inserted: edit ? [edit] : [], replaced: [] }
}
