import { ArgumentError, type Tokenizer } from '../core/index.js'
import { type Glyph, glyphsOf, tokensOfGlyphs } from './glyphs.js'

/** A word of a prompt and the tokens that spell it. */
export interface PromptWord {
  /** The word as it was typed, with any punctuation glued to it. */
  readonly word: string
  /** Indices into the prompt's ids (BOS is 0), ascending; empty when the word was cut off. */
  readonly tokens: readonly number[]
}

/**
 * The words of a prompt, split at white space, with the tokens of each.
 *
 * ```ts
 * wordsOf(tokenizer, 'a chameleon.') // [{ word: 'a', tokens: [1] }, { word: 'chameleon.', tokens: [2, 3] }]
 * ```
 */
export function wordsOf(tokenizer: Tokenizer, prompt: string): PromptWord[] {
  const { glyphs, tokens } = readPrompt(tokenizer, prompt)
  const words: PromptWord[] = []
  for (let from = 0; from < glyphs.length; from++) {
    if (glyphs[from]!.text === ' ') continue
    let to = from
    while (to < glyphs.length && glyphs[to]!.text !== ' ') to++
    const word = prompt.slice(glyphs[from]!.start, glyphs[to]?.start)
    words.push({ word, tokens: union(tokens.slice(from, to)) })
    from = to
  }
  return words
}

/**
 * The tokens of a word, wherever it occurs in a prompt.
 *
 * @param word - a word or phrase (`'devices'`, `'support devices'`), or the index of a word in {@link wordsOf}.
 *   Case, the spelling of accents and the width of spaces do not matter; punctuation glued to the word is left out
 *   unless it is asked for. A part of a word is no match.
 * @returns indices into the prompt's ids (BOS is 0), ascending, at least one
 * @throws ArgumentError listing the words of the prompt when none matches
 */
export function tokensOfWord(tokenizer: Tokenizer, prompt: string, word: string | number): number[] {
  const found =
    typeof word === 'number'
      ? wordsOf(tokenizer, prompt)[word]?.tokens
      : find(readPrompt(tokenizer, prompt), word)
  if (found !== undefined && found.length > 0) return [...found]
  const listed = wordsOf(tokenizer, prompt).map((entry) => JSON.stringify(entry.word))
  throw new ArgumentError({
    rule:
      found === undefined
        ? 'a word that is looked up must occur in the prompt'
        : `a word that is looked up must be among the first ${tokenizer.maxLength - 2} tokens of the prompt`,
    got: typeof word === 'number' ? `the index ${word} of ${listed.length} words` : JSON.stringify(word),
    mend: `The prompt's words are: ${listed.join(', ') || '(none)'}.`,
  })
}

interface ReadPrompt {
  readonly glyphs: readonly Glyph[]
  readonly tokens: readonly (readonly number[])[]
}

function readPrompt(tokenizer: Tokenizer, prompt: string): ReadPrompt {
  const { ids, length } = tokenizer.encode(prompt)
  const glyphs = glyphsOf(prompt)
  const spellings = ids.slice(1, length - 1).map((id) => tokenizer.decodeToken(id))
  return { glyphs, tokens: tokensOfGlyphs(glyphs, spellings).map((found) => found.map((token) => token + 1)) }
}

function find({ glyphs, tokens }: ReadPrompt, phrase: string): number[] | undefined {
  const sought = glyphsOf(phrase).map(({ text }) => text)
  if (sought[0] === ' ') sought.shift()
  if (sought.at(-1) === ' ') sought.pop()
  if (sought.length === 0) return undefined
  const matches = glyphs.flatMap((_, from) => {
    const to = from + sought.length
    const matched =
      sought.every((text, i) => glyphs[from + i]?.text === text) &&
      !(inWord(glyphs[from - 1]?.text) && inWord(sought[0])) &&
      !(inWord(glyphs[to]?.text) && inWord(sought.at(-1)))
    return matched ? [tokens.slice(from, to)] : []
  })
  return matches.length === 0 ? undefined : union(matches.flat())
}

const inWord = (text: string | undefined) => text !== undefined && /^[\p{L}\p{M}\p{N}]/u.test(text)

const union = (tokens: readonly (readonly number[])[]) => [...new Set(tokens.flat())].sort((a, b) => a - b)
