import { Tokenizer } from '@huggingface/tokenizers'
import { endOfWord } from './byte-alphabet.js'
import { endOfText, type Merge, startOfText } from './vocabulary.js'

/** A token that is matched as a whole in the prompt, before BPE. */
export interface AddedToken {
  /** Its row in the text encoder's embedding. */
  readonly id: number
  /** The text that it matches. */
  readonly content: string
  /** Whether it is matched after lower-casing (`true`), or only as written (`false`, the default). */
  readonly normalized?: boolean | undefined
}

/**
 * CLIP's way from text to BPE tokens, in the vocabulary of a `tokenizer.json`: NFC, white space, lower case;
 * special tokens, contractions, letters, single digits, other symbols; bytes; merges by rank.
 *
 * @returns text to ids, without BOS, EOS, truncation and padding
 */
export function clipPipeline(
  vocab: Readonly<Record<string, number>>,
  merges: readonly Merge[],
  unknown: string,
  addedTokens: readonly AddedToken[],
): (text: string) => number[] {
  const words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
  const specials = [startOfText, endOfText].map((token) => token.replaceAll('|', '\\|'))
  const split = (pattern: string) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Removed',
    invert: true,
  })
  const json = {
    version: '1.0',
    added_tokens: addedTokens.filter(({ normalized }) => normalized),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        // JavaScript's lower case ends a word with ς, the reference with σ.
        { type: 'Replace', pattern: { String: 'Σ' }, content: 'σ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        // A special string that is no token here is set apart from its neighbours, then split like any text.
        split([...specials, words].join('|')),
        split(words),
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      vocab,
      merges,
      unk_token: unknown,
      end_of_word_suffix: endOfWord,
      continuing_subword_prefix: '',
    },
  }
  const tokenizer = new Tokenizer(json, {})
  // Tokens matched as typed are cut out here: the tokenizer would find them in lower-cased text too.
  const exact = new Map(
    addedTokens.flatMap((token) => (token.normalized ? [] : [[token.content, token.id] as const])),
  )
  const parts = splitter([...exact.keys()])
  return (text) =>
    parts(text).flatMap(
      (part) => exact.get(part) ?? tokenizer.encode(part, { add_special_tokens: false }).ids,
    )
}

/** Cuts a text before and after each of `contents`; of two that start at one place the longer is taken. */
function splitter(contents: readonly string[]): (text: string) => string[] {
  if (contents.length === 0) return (text) => [text]
  const longestFirst = contents.toSorted((a, b) => b.length - a.length)
  const escaped = longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  const pattern = new RegExp(`(${escaped.join('|')})`, 'u')
  return (text) => text.split(pattern)
}
