import type { Tokenizer } from '../../core/index.js'
import { wordsOf } from '../../text/index.js'
import type { Perturbation } from '../perturbation.js'

const negations = new Set(['no', 'not', 'without', 'never', 'absent', 'denies', 'negative'])
// Words that carry no content of their own: to strengthen them says nothing of what is to change.
const functional = new Set(
  'a an the and or but with of in on at to for from by is are as that this'.split(' '),
)

/**
 * The words of the edited caption that an edit strengthens: those that were inserted or that replace others, and
 * never a negation.
 *
 * Where a negation is new, the weight goes to what it denies ("cardiomegaly" of "no cardiomegaly"): the text encoder
 * has read the "no" by then, and a weight on "no" itself, which the published word diff gives, points nowhere. Where
 * a negation is gone, the weight goes to what it no longer denies. Function words and words beyond the text
 * encoder's 77 tokens are left out.
 *
 * @param tokenizer - of the model that edits
 * @param perturbation - captions and their word diff
 * @returns words of `perturbation.target`, each once, in its order; empty where the caption only lost words
 */
export function emphasisedWords(tokenizer: Tokenizer, { source, target, words }: Perturbation): string[] {
  const changed = [...words.inserted, ...words.replaced.map(([, to]) => to)].flatMap(split).map(plain)
  const [before, after] = [deniedWords(source), deniedWords(target)]
  const said = new Set(split(source).map(plain))
  const affirmed = (word: string) => before.has(word) && !after.has(word)
  const denied = (word: string) =>
    after.has(word) && !before.has(word) && (said.has(word) || changed.includes(word))
  const chosen = new Set(changed)
  return wordsOf(tokenizer, target)
    .filter(({ tokens }) => tokens.length > 0)
    .map(({ word }) => plain(word))
    .filter((word) => chosen.has(word) || affirmed(word) || denied(word))
    .filter(
      (word, i, all) =>
        /[\p{L}\p{N}]/u.test(word) &&
        !negations.has(word) &&
        !functional.has(word) &&
        all.indexOf(word) === i,
    )
}

/** Words whose attention marks where an edit happens. */
export interface RegionWords {
  /** Words of the source caption. */
  readonly source: readonly string[]
  /** Words of the target caption. */
  readonly target: readonly string[]
}

/**
 * The words that mark the region of an edit in each caption, for a local blend: what went and what came, and what is
 * newly denied or affirmed, in both.
 *
 * @param tokenizer - of the model that edits
 * @param perturbation - captions and their word diff
 */
export function regionWords(tokenizer: Tokenizer, perturbation: Perturbation): RegionWords {
  const { words, source } = perturbation
  const target = emphasisedWords(tokenizer, perturbation)
  const gone = new Set(
    [...words.deleted, ...words.replaced.map(([from]) => from), ...target].flatMap(split).map(plain),
  )
  const known = wordsOf(tokenizer, source).flatMap(({ word, tokens }) =>
    tokens.length > 0 ? [plain(word)] : [],
  )
  const wanted = known.filter((word) => gone.has(word) && !negations.has(word) && !functional.has(word))
  return { source: [...new Set(wanted)], target }
}

// All words that stand behind a negation, up to the end of its clause.
function deniedWords(caption: string): Set<string> {
  const denied = new Set<string>()
  let open = false
  for (const word of split(caption)) {
    if (negations.has(plain(word))) open = true
    else if (plain(word) === 'and' || plain(word) === 'but') open = false
    else if (open) denied.add(plain(word))
    if (/[,.;:]$/.test(word)) open = false
  }
  return denied
}

const split = (text: string) => text.split(/\s+/).filter((word) => word !== '')
const plain = (word: string) => word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
