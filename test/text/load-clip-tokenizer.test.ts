import { describe, expect, it } from 'vitest'
import { CheckpointError } from '../../src/core/index.js'
import { type ClipTokenizerFiles, loadClipTokenizer, parseMerges } from '../../src/text/index.js'
import { clipMerges, clipVocab, sd1, sd2 } from './clip-files.js'

const token = (content: string) => ({
  content,
  lstrip: false,
  normalized: true,
  rstrip: false,
  single_word: false,
})
const map = {
  bos_token: token('<|startoftext|>'),
  eos_token: token('<|endoftext|>'),
  unk_token: token('<|endoftext|>'),
}
const config = { model_max_length: 77, pad_token: '<|endoftext|>', tokenizer_class: 'CLIPTokenizer' }
const files = { vocab: clipVocab, merges: clipMerges, tokenizerConfig: config }
const odd = 'wow!!! <|ENDOFTEXT|> <|STARTOFTEXT|> it'

describe('loadClipTokenizer', () => {
  it('reads both kinds of folder, and lets special_tokens_map.json win', () => {
    const one = loadClipTokenizer({ ...files, specialTokensMap: { ...map, pad_token: '<|endoftext|>' } })
    const two = loadClipTokenizer({ ...files, specialTokensMap: { ...map, pad_token: '!' } })
    expect(one.encode(odd)).toEqual(sd1.encode(odd))
    expect(two.encode(odd)).toEqual(sd2.encode(odd))
    expect(two.encode(odd).ids[76]).toBe(0)
  })

  it('needs no special_tokens_map.json and no config', () => {
    const bare = loadClipTokenizer({ vocab: clipVocab, merges: clipMerges })
    expect(bare.encode('a cat!').ids).toEqual(sd1.encode('a cat!').ids)
    const config = { pad_token: '!', model_max_length: 1e30 }
    const padded = loadClipTokenizer({ vocab: clipVocab, merges: clipMerges, tokenizerConfig: config })
    expect(padded.encode('a cat!').ids).toEqual(sd2.encode('a cat!').ids)
    expect(padded.maxLength).toBe(77)
  })

  it('reads a folder that has only tokenizer.json, with its added tokens', () => {
    const pairs = parseMerges(clipMerges)
    for (const merges of [pairs, pairs.map((pair) => pair.join(' '))]) {
      const tokenizerJson = {
        added_tokens: [
          { id: 0, content: '!', normalized: false, special: true },
          { id: 49406, content: '<|startoftext|>', normalized: true, special: true },
          { id: 49407, content: '<|endoftext|>', normalized: true, special: true },
        ],
        model: { type: 'BPE', vocab: clipVocab, merges, end_of_word_suffix: '</w>' },
      }
      const tokenizerConfig = { pad_token: '!', bos_token: '<|startoftext|>', eos_token: '<|endoftext|>' }
      const loaded = loadClipTokenizer({ tokenizerJson, tokenizerConfig })
      expect(loaded.encode(odd)).toEqual(sd2.encode(odd))
    }
  })

  it('takes learned tokens from the config', () => {
    const tokenizerConfig = {
      ...config,
      added_tokens_decoder: { 49408: { content: '<line>', normalized: false } },
    }
    const { ids } = loadClipTokenizer({ ...files, tokenizerConfig }).encode('a <line>')
    expect(ids.slice(0, 4)).toEqual([49406, 320, 49408, 49407])
  })

  it.each<[string, ClipTokenizerFiles, RegExp]>([
    ['nothing', {}, /tokenizer\.json nor vocab\.json/],
    ['no merges', { vocab: clipVocab }, /nor merges\.txt/],
    ['an array for a vocabulary', { vocab: [1], merges: '' }, /vocab\.json/],
    ['null for a vocabulary', { vocab: null, merges: '' }, /vocab\.json/],
    ['ids that are no numbers', { vocab: { a: '0' }, merges: '' }, /vocab\.json .* at a/],
    ['negative ids', { vocab: { a: -1 }, merges: '' }, /vocab\.json/],
    ['a map of numbers', { ...files, specialTokensMap: { pad_token: 3 } }, /special_tokens_map\.json/],
    ['a page for a config', { ...files, tokenizerConfig: '<html>' }, /tokenizer_config\.json/],
    ['merges of a WordPiece', { ...files, merges: '[PAD]\n[UNK]\n' }, /line 1/],
    [
      'an LFS pointer for merges',
      { ...files, merges: 'version https://git-lfs.github.com/spec/v1' },
      /special|merge/,
    ],
    ['an empty vocabulary', { vocab: {}, merges: '' }, /startoftext/],
    ['a pad token that is not there', { ...files, specialTokensMap: { pad_token: '[PAD]' } }, /\[PAD\]/],
    [
      "GPT-2's tokenizer.json",
      { tokenizerJson: { model: { type: 'BPE', vocab: {}, merges: [] } } },
      /end_of_word_suffix/,
    ],
    ['a length of two', { ...files, tokenizerConfig: { model_max_length: 2 } }, /maxLength/],
  ])('refuses %s', (_, contents, message) => {
    expect(() => loadClipTokenizer(contents)).toThrow(message)
  })

  it('throws checkpoint errors', () => {
    expect(() => loadClipTokenizer({ vocab: 3, merges: '' })).toThrow(CheckpointError)
  })
})
