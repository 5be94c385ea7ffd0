import { ArgumentError, CheckpointError, expectNumber, type Tokenizer } from '../core/index.js'
import { endOfWord } from './byte-alphabet.js'
import { type AddedToken, clipPipeline } from './clip-pipeline.js'
import { glyphsOf, spellingOf, tokensOfGlyphs } from './glyphs.js'
import { endOfText, type Merge, parseMerges, startOfText } from './vocabulary.js'

/** A special token by name, as `special_tokens_map.json` has it: its text, or its text and how it is matched. */
export type SpecialToken =
  | string
  | {
      /** The token's text. */
      readonly content: string
      /** Whether it is matched in the lower-cased prompt (`true`) or in the prompt as typed (`false`, the default). */
      readonly normalized?: boolean | undefined
    }

/** The tokens that have a role; each defaults to CLIP's own. */
export interface SpecialTokens {
  /** First of every prompt; `<|startoftext|>`. */
  readonly bos?: SpecialToken | undefined
  /** Last of every prompt; `<|endoftext|>`. */
  readonly eos?: SpecialToken | undefined
  /** Stands for a symbol outside the vocabulary; the end-of-text token by default. */
  readonly unk?: SpecialToken | undefined
}

/** What {@link clipTokenizer} is made of. */
export interface ClipTokenizerOptions {
  /** Token to id, the content of `vocab.json`; any size. */
  readonly vocab: Readonly<Record<string, number>>
  /** The text of `merges.txt`, or its pairs in order of rank. */
  readonly merges: string | readonly Merge[]
  /**
   * Fills a prompt up to `maxLength`: the end-of-text token (the default) in Stable Diffusion 1, `'!'` in 2.
   * Like every special token it is matched as a whole in prompts: with `'!'`, "!!!" becomes three times its id.
   */
  readonly padToken?: SpecialToken | undefined
  /** The tokens with a role, where they are not CLIP's. */
  readonly specialTokens?: SpecialTokens | undefined
  /** More tokens that are matched as a whole, with ids of their own (learned by textual inversion, say). */
  readonly addedTokens?: readonly AddedToken[] | undefined
  /** Length of every encoding; 77 by default. */
  readonly maxLength?: number | undefined
}

/**
 * CLIP's tokenizer: byte-level BPE, equal to the Rust backend of transformers' `CLIPTokenizer`.
 *
 * A prompt becomes `BOS, at most maxLength - 2 tokens, EOS`, padded to `maxLength`. A longer prompt loses its
 * tail, never its EOS, and the encoding tells which text that was.
 *
 * @param options - the vocabulary with its merges, and the tokens that have a role
 * @throws CheckpointError when the merges or a special token do not fit the vocabulary
 * @throws ArgumentError when `maxLength` has no room for a token
 */
export function clipTokenizer(options: ClipTokenizerOptions): Tokenizer {
  const { vocab, specialTokens = {}, addedTokens = [], maxLength = 77 } = options
  expectNumber(maxLength, { min: 3, integer: true }, 'clipTokenizer', 'maxLength')
  const merges = typeof options.merges === 'string' ? parseMerges(options.merges) : options.merges
  expectMergesIn(vocab, merges)

  const added = new Map(addedTokens.map((token) => [token.content, token]))
  const role = (token: SpecialToken) => {
    const { content, normalized } = typeof token === 'string' ? { content: token, normalized: false } : token
    const id = added.get(content)?.id ?? (Object.hasOwn(vocab, content) ? vocab[content] : undefined)
    if (id === undefined) throw missing(`the special token ${JSON.stringify(content)}`, vocab)
    return { id, content, normalized }
  }
  const bos = role(specialTokens.bos ?? startOfText)
  const eos = role(specialTokens.eos ?? endOfText)
  const unk = role(specialTokens.unk ?? eos)
  const pad = role(options.padToken ?? eos)
  // One text in several roles is matched as the last of them says, unless it is an added token itself.
  const matched = new Map([bos, eos, unk, pad, ...addedTokens].map((token) => [token.content, token]))

  const idsOf = clipPipeline(vocab, merges, unk.content, [...matched.values()])
  const spellings = new Map(Object.entries(vocab).map(([token, id]) => [id, withoutEnd(token)]))
  for (const { id, content } of matched.values()) spellings.set(id, spellingOf(content))
  const decodeToken = (id: number) => {
    const spelling = spellings.get(id)
    if (spelling !== undefined) return spelling
    throw new ArgumentError({
      rule: `decodeToken needs an id of the vocabulary, which has ${spellings.size} tokens`,
      got: String(id),
      mend: 'Pass ids that came from the same tokenizer.',
    })
  }

  return {
    maxLength,
    decodeToken,
    encode(prompt) {
      const tokens = idsOf(prompt)
      const kept = tokens.slice(0, maxLength - 2)
      const ids = [bos.id, ...kept, eos.id]
      return {
        prompt,
        ids: [...ids, ...new Array<number>(maxLength - ids.length).fill(pad.id)],
        length: ids.length,
        truncated:
          kept.length === tokens.length ? '' : tailFrom(kept.length, prompt, tokens.map(decodeToken)),
      }
    },
  }
}

/** The prompt from the first character that a token at or after `cut` spells. */
function tailFrom(cut: number, prompt: string, spellings: readonly string[]): string {
  const glyphs = glyphsOf(prompt)
  const first = tokensOfGlyphs(glyphs, spellings).findIndex((tokens) => (tokens.at(-1) ?? -1) >= cut)
  return prompt.slice(glyphs.at(first)!.start)
}

function expectMergesIn(vocab: Readonly<Record<string, number>>, merges: readonly Merge[]): void {
  for (const [left, right] of merges) {
    const absent = [left, right, left + right].find((token) => !Object.hasOwn(vocab, token))
    if (absent !== undefined)
      throw missing(`${JSON.stringify(absent)} of the merge "${left} ${right}"`, vocab)
  }
}

function missing(what: string, vocab: Readonly<Record<string, number>>): CheckpointError {
  return new CheckpointError({
    rule: 'clipTokenizer needs a vocabulary that holds its merges and its special tokens',
    got: `a vocabulary of ${Object.keys(vocab).length} tokens without ${what}`,
    mend: 'Take vocab.json, merges.txt and special_tokens_map.json from the same folder.',
  })
}

const withoutEnd = (token: string) =>
  token.endsWith(endOfWord) && token !== endOfWord ? token.slice(0, -endOfWord.length) : token
