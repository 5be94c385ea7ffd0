/** A word of a caption, in lower case, and where it stands. */
export interface CaptionToken {
  /** Letters, or digits, or one mark. */
  readonly text: string
  /** First character in the caption. */
  readonly start: number
  /** After the last character. */
  readonly end: number
}

/** A phrase found at the start of some tokens. */
export interface PhraseMatch<T> {
  /** What it stands for. */
  readonly value: T
  /** How many tokens it takes. */
  readonly length: number
}

/** Finds the longest known phrase that starts at a token. */
export type PhraseMatcher<T> = (tokens: readonly CaptionToken[], at: number) => PhraseMatch<T> | undefined

// Marks that join or enclose words and say nothing: hyphens, slashes, brackets, quotes.
const silent = /^[-‐‑–—/()[\]'"’]$/

/** The tokens of a caption. Hyphens, slashes, brackets and quotes part words and are left out. */
export function captionTokens(caption: string): CaptionToken[] {
  const found = caption.matchAll(/\p{N}+|[\p{L}\p{M}]+|[^\s\p{L}\p{M}\p{N}]/gu)
  return [...found].flatMap(({ 0: text, index }) =>
    silent.test(text) ? [] : [{ text: text.toLowerCase(), start: index, end: index + text.length }],
  )
}

/**
 * A matcher of phrases, longest first.
 *
 * @param phrases - words with spaces, and what they stand for
 */
export function phraseMatcher<T>(
  phrases: readonly (readonly [phrase: string, value: T])[],
): PhraseMatcher<T> {
  const byFirst = new Map<string, { words: readonly string[]; value: T }[]>()
  for (const [phrase, value] of phrases) {
    const words = captionTokens(phrase).map(({ text }) => text)
    byFirst.set(words[0]!, [...(byFirst.get(words[0]!) ?? []), { words, value }])
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.words.length - a.words.length)
  return (tokens, at) => {
    const first = tokens[at]
    const fits = ({ words }: { words: readonly string[] }) =>
      words.every((word, i) => tokens[at + i]?.text === word)
    const found = first && byFirst.get(first.text)?.find(fits)
    return found && { value: found.value, length: found.words.length }
  }
}

/** A matcher of phrases that all stand for themselves. */
export function wordMatcher(phrases: string): PhraseMatcher<string> {
  return phraseMatcher(phrases.split(', ').map((phrase) => [phrase, phrase] as const))
}
