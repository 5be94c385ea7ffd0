import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src/core/index.js'
import { clipTokenizer, trainBpe } from '../../src/text/index.js'
import { fixture } from './clip-files.js'

const golden = fixture('trained-bpe.json') as {
  captions: number
  merges: string[]
  cases: [string, number[]][]
}
const captions = golden.cases.slice(0, golden.captions).map(([text]) => text)

describe('trainBpe', () => {
  const trained = trainBpe(captions, { merges: golden.merges.length })

  it('joins the pairs that a plain reading of the paper joins', () => {
    expect(trained.merges).toBe(['#version: 0.2', ...golden.merges, ''].join('\n'))
    expect(Object.keys(trained.vocab)).toHaveLength(514 + golden.merges.length)
  })

  it('makes a tokenizer that transformers reads to the same ids', () => {
    const tokenizer = clipTokenizer(trained)
    for (const [text, ids] of golden.cases) {
      const encoded = tokenizer.encode(text)
      expect(encoded.ids.slice(0, encoded.length), JSON.stringify(text)).toEqual(ids)
    }
  })

  it('is deterministic and stops when every word is one token', () => {
    const most = trainBpe(['aab aab', 'b'], { merges: 100 })
    expect(most).toEqual(trainBpe(['aab aab', 'b'], { merges: 100 }))
    expect(most.merges).toBe('#version: 0.2\na a\naa b</w>\n')
    expect(trainBpe([], { merges: 5 }).merges).toBe('#version: 0.2\n')
    expect(() => trainBpe([], { merges: 1.5 })).toThrow(ArgumentError)
  })

  it('spells any text, though it saw only captions', () => {
    const tokenizer = clipTokenizer({ ...trained, maxLength: 4000 })
    const unknown = trained.vocab['<|endoftext|>']!
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const { ids, length } = tokenizer.encode(text)
        expect(ids.slice(1, length - 1)).not.toContain(unknown)
      }),
      { seed: 8 },
    )
  })
})
