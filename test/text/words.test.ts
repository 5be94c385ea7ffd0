import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src/core/index.js'
import { clipTokenizer, tokensOfWord, wordsOf } from '../../src/text/index.js'
import { clipVocab, sd1, sd2 } from './clip-files.js'

describe('wordsOf', () => {
  it('lists each word with its tokens', () => {
    expect(wordsOf(sd1, 'Chest X-ray  with support devices.')).toEqual([
      { word: 'Chest', tokens: [1] },
      { word: 'X-ray', tokens: [2, 3, 4] },
      { word: 'with', tokens: [5] },
      { word: 'support', tokens: [6] },
      { word: 'devices.', tokens: [7, 8] },
    ])
    expect(wordsOf(sd1, '')).toEqual([])
    expect(wordsOf(sd1, ' \n')).toEqual([])
  })

  it('knows words whose tokens are no letters of theirs', () => {
    expect(wordsOf(sd1, 'CAFE\u0301 🩻 ﬁre日本')).toEqual([
      { word: 'CAFE\u0301', tokens: [1] },
      { word: '🩻', tokens: [2, 3, 4] },
      { word: 'ﬁre日本', tokens: [5, 6, 7, 8, 9, 10, 11] },
    ])
    expect(wordsOf(sd2, 'a cat!! <|endoftext|>')).toEqual([
      { word: 'a', tokens: [1] },
      { word: 'cat!!', tokens: [2, 3, 4] },
      { word: '<|endoftext|>', tokens: [5] },
    ])
  })

  it('gives every token to exactly one word, and every word its tokens in order', () => {
    const unit = fc.constantFrom(
      ...'aZ9.! \u0301\u1100\u1161\u11a8',
      ...['🩻', 'Éé', 'İ', 'ΑΣ ', "'s", '日本', '\u0085', '\ufeff'],
    )
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (prompt) => {
        for (const tokenizer of [sd1, sd2]) {
          const { length } = tokenizer.encode(prompt)
          const words = wordsOf(tokenizer, prompt)
          expect(words.flatMap(({ tokens }) => tokens)).toEqual(
            Array.from({ length: length - 2 }, (_, i) => i + 1),
          )
          expect(words.map(({ word }) => word)).toEqual(
            prompt.split(/\p{White_Space}+/u).filter((word) => word),
          )
        }
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  it('gives no tokens to words that were cut off', () => {
    const words = wordsOf(sd1, `${'word '.repeat(74)}X-ray tail`)
    expect(words.slice(-2)).toEqual([
      { word: 'X-ray', tokens: [75] },
      { word: 'tail', tokens: [] },
    ])
  })

  it('survives symbols outside the vocabulary', () => {
    const letters = clipTokenizer({
      vocab: { a: 0, b: 1, 'a</w>': 2, 'b</w>': 3, '<|startoftext|>': 4, '<|endoftext|>': 5 },
      merges: '',
    })
    expect(wordsOf(letters, 'ab zz b')).toEqual([
      { word: 'ab', tokens: [1, 2] },
      { word: 'zz', tokens: [3, 4] },
      { word: 'b', tokens: [5] },
    ])
  })
})

describe('tokensOfWord', () => {
  const prompt = 'Chest X-ray with no cardiomegaly, and support devices. No 日本語 🩻!'
  const spelled = (word: string | number) =>
    tokensOfWord(sd1, prompt, word)
      .map((token) => sd1.decodeToken(sd1.encode(prompt).ids[token]!))
      .join('')

  it.each([
    ['devices', 'devices'],
    ['devices.', 'devices.'],
    ['Support  DEVICES', 'supportdevices'],
    ['x-ray', 'x-ray'],
    ['ray', 'ray'],
    ['cardiomegaly', 'cardiomegaly'],
    ['no', 'nono'],
    [' no cardiomegaly, and', 'nocardiomegaly,and'],
    [0, 'chest'],
    [7, 'devices.'],
  ])('finds %j', (word, text) => {
    expect(spelled(word)).toBe(text)
  })

  it('finds other scripts, accents and emoji', () => {
    expect(tokensOfWord(sd1, 'a café', 'CAFE\u0301')).toEqual([2])
    expect(tokensOfWord(sd1, 'a 🩻!', '🩻')).toEqual([2, 3, 4])
    expect(tokensOfWord(sd1, '日本語 テスト', '日本語')).toEqual([1, 2, 3, 4])
    expect(tokensOfWord(sd1, "a patient's lung", 'patient')).toEqual([2])
  })

  it('takes no part of a word, and says what there is', () => {
    for (const word of ['device', 'ardio', '', '  ', 'lung', 12, -1, 0.5]) {
      expect(() => tokensOfWord(sd1, prompt, word), String(word)).toThrow(ArgumentError)
    }
    expect(() => tokensOfWord(sd1, 'support devices.', 'lung')).toThrow('"support", "devices."')
    expect(() => tokensOfWord(sd1, '', 'lung')).toThrow('(none)')
    expect(() => tokensOfWord(sd1, `${'word '.repeat(75)}tail`, 'tail')).toThrow('first 75 tokens')
  })

  it('reads every vocabulary alike', () => {
    const bytes = clipTokenizer({ vocab: clipVocab, merges: '' })
    expect(tokensOfWord(bytes, 'No é', 'É')).toEqual([3, 4])
  })
})
