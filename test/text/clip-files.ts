import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Tokenizer } from '../../src/core/index.js'
import { clipTokenizer, parseMerges, vocabularyOfMerges } from '../../src/text/index.js'

/** The text of the merges.txt that every Stable Diffusion checkpoint has. */
export const clipMerges: string = gunzipSync(
  readFileSync(new URL('../fixtures/clip-merges.txt.gz', import.meta.url)),
).toString()

export const clipVocab = vocabularyOfMerges(parseMerges(clipMerges))

/** A JSON fixture, by file name. */
export function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'))
}

const token = (content: string) => ({ content, normalized: true })
const specialTokens = {
  bos: token('<|startoftext|>'),
  eos: token('<|endoftext|>'),
  unk: token('<|endoftext|>'),
}

/** The tokenizer of Stable Diffusion 1.x: pads with 49407. */
export const sd1: Tokenizer = clipTokenizer({
  vocab: clipVocab,
  merges: clipMerges,
  specialTokens,
  padToken: '<|endoftext|>',
})

/** The tokenizer of Stable Diffusion 2.x: pads with 0. */
export const sd2: Tokenizer = clipTokenizer({
  vocab: clipVocab,
  merges: clipMerges,
  specialTokens,
  padToken: '!',
})
