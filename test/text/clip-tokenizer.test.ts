import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, CheckpointError, type Tokenizer } from '../../src/core/index.js'
import { clipTokenizer } from '../../src/text/index.js'
import { clipMerges, clipVocab, fixture, sd1, sd2 } from './clip-files.js'

const tokens = (tokenizer: Tokenizer, prompt: string) => {
  const { ids, length } = tokenizer.encode(prompt)
  return ids.slice(0, length)
}

describe('the CLIP vocabulary', () => {
  it('is derived from the merges, byte for byte', () => {
    const sorted = Object.entries(clipVocab).sort(([a], [b]) => (a < b ? -1 : 1))
    const lines = sorted.map(([token, id]) => `  ${JSON.stringify(token)}: ${id}`)
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(sha256(`{\n${lines.join(',\n')}\n}\n`)).toMatch(/^e089ad92ba36837a/)
    expect(sha256(clipMerges)).toMatch(/^9fd691f7c8039210/)
    expect(clipVocab).toMatchObject({
      '!': 0,
      '!</w>': 256,
      '<|startoftext|>': 49406,
      '<|endoftext|>': 49407,
    })
  })
})

describe('clipTokenizer', () => {
  it.each([
    ['a photo of a cat', [320, 1125, 539, 320, 2368]],
    ["Hello, World!  It's 2024.", [3306, 267, 1002, 256, 585, 568, 273, 271, 273, 275, 269]],
    ['', []],
    ['café naïve CAFÉ', [15304, 1097, 35689, 563, 15304]],
    ['cafe\u0301 nai\u0308ve CAFE\u0301', [15304, 1097, 35689, 563, 15304]],
    ['semi-transparent', [6684, 268, 19017]],
    ['日本語 テスト', [39121, 44353, 34002, 508, 2429, 228, 32421, 486]],
    ['\ufb01re', [171, 105, 223, 810]],
    ['a photo of a cat!', [320, 1125, 539, 320, 2368, 256]],
    ['!!!', [995]],
    ['<|endoftext|>', [49407]],
  ])('encodes %j as Stable Diffusion 1 does', (prompt, ids) => {
    expect(tokens(sd1, prompt)).toEqual([49406, ...ids, 49407])
  })

  it('gives the ids of transformers for odd strings, in both pad conventions', () => {
    const cases = fixture('clip-tokenizer.json') as [string, number[], number[]?][]
    expect(cases.length).toBeGreaterThan(400)
    for (const [prompt, one, two = one] of cases) {
      expect(tokens(sd1, prompt), JSON.stringify(prompt)).toEqual(one)
      expect(tokens(sd2, prompt), JSON.stringify(prompt)).toEqual(two)
    }
  })

  it('pads with the pad token, which is matched in prompts too', () => {
    expect(sd1.encode('cat').ids).toEqual([49406, 2368, ...new Array(75).fill(49407)])
    expect(sd2.encode('cat').ids).toEqual([49406, 2368, 49407, ...new Array(74).fill(0)])
    expect(tokens(sd2, 'a photo of a cat!')).toEqual([49406, 320, 1125, 539, 320, 2368, 0, 49407])
    expect(tokens(sd2, '!!!')).toEqual([49406, 0, 0, 0, 49407])
  })

  it('cuts long prompts before EOS and tells what was cut', () => {
    const long = sd1.encode(`${'word '.repeat(75)}but not This  Téxt.`)
    expect(long.ids).toEqual([49406, ...new Array(75).fill(2653), 49407])
    expect(long).toMatchObject({ length: 77, truncated: 'but not This  Téxt.' })
    expect(sd1.encode('word '.repeat(75)).truncated).toBe('')
    expect(sd1.encode(`${'word '.repeat(74)}semi-transparent`).truncated).toBe('-transparent')
    // 19 emoji are 76 bytes; in a vocabulary of bytes the last is cut whole.
    const bytes = clipTokenizer({ vocab: clipVocab, merges: '', maxLength: 10 })
    expect(bytes.encode('🩻🩻🩻 end').truncated).toBe('🩻 end')
  })

  it('takes a vocabulary of any size, with special tokens by name', () => {
    const small = clipTokenizer({
      vocab: { '<s>': 0, b: 1, 'd</w>': 2, a: 3, ad: 4, 'ad</w>': 5, '</s>': 6, '?': 7, '<pad>': 8 },
      merges: '#version: 0.2\na d</w>\n',
      specialTokens: { bos: '<s>', eos: '</s>', unk: '?' },
      padToken: '<pad>',
      maxLength: 8,
    })
    expect(small.encode('BAD z <pad>')).toEqual({
      prompt: 'BAD z <pad>',
      ids: [0, 1, 5, 7, 8, 6, 8, 8],
      length: 6,
      truncated: '',
    })
    expect([1, 5, 8].map(small.decodeToken)).toEqual(['b', 'ad', '<pad>'])
  })

  it('matches added tokens whole', () => {
    const learned = clipTokenizer({
      vocab: clipVocab,
      merges: clipMerges,
      addedTokens: [{ id: 49408, content: '<Pacemaker>' }],
    })
    expect(tokens(learned, 'a <Pacemaker>.')).toEqual([49406, 320, 49408, 269, 49407])
    expect(tokens(learned, 'a <pacemaker>.')).not.toContain(49408)
  })

  it('encodes any string to maxLength ids, BOS first and EOS last', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (prompt) => {
        for (const tokenizer of [sd1, sd2]) {
          const { ids, length, truncated } = tokenizer.encode(prompt)
          expect(ids).toHaveLength(77)
          expect([ids[0], ids[length - 1]]).toEqual([49406, 49407])
          expect(prompt.endsWith(truncated)).toBe(true)
          if (truncated !== '') expect(length).toBe(77)
        }
      }),
      { seed: 1, numRuns: 200 },
    )
    expect(() => sd1.encode('\ud800 lone \udfff')).not.toThrow()
  })

  it('keeps what it does not report as cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 60, maxLength: 300 }), (prompt) => {
        const { ids, truncated } = sd1.encode(prompt)
        if (truncated === '') return
        const kept = prompt.slice(0, prompt.length - truncated.length)
        // Whole words before the cut are encoded alike alone.
        const whole = kept.slice(0, kept.search(/\S*$/))
        const { ids: alone, length } = sd1.encode(whole)
        expect(ids.slice(1, length - 1)).toEqual(alone.slice(1, length - 1))
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  it('encodes fast', () => {
    const milliseconds = (work: () => void) => {
      const before = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    const construct = () => milliseconds(() => clipTokenizer({ vocab: clipVocab, merges: clipMerges }))
    expect(Math.min(construct(), construct())).toBeLessThan(1000)
    const encode = milliseconds(() => {
      for (let i = 0; i < 100; i++) sd1.encode(`Chest X-ray ${i} with cardiomegaly, no pneumothorax`)
    })
    expect(encode / 100).toBeLessThan(5)
  })

  it('refuses pieces that do not belong together', () => {
    const vocab = { a: 0, b: 1, '<|startoftext|>': 2, '<|endoftext|>': 3 }
    expect(() => clipTokenizer({ vocab, merges: 'a b' })).toThrow(CheckpointError)
    expect(() => clipTokenizer({ vocab, merges: 'a b' })).toThrow('"ab" of the merge "a b"')
    expect(() => clipTokenizer({ vocab, merges: 'a\nb' })).toThrow('line 1')
    expect(() => clipTokenizer({ vocab, merges: '', padToken: '!' })).toThrow('special token "!"')
    expect(() => clipTokenizer({ vocab, merges: '', maxLength: 2 })).toThrow(ArgumentError)
    expect(() => sd1.decodeToken(49408)).toThrow(ArgumentError)
  })
})
