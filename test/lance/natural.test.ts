import { describe, expect, it, test } from 'vitest'
import { CaptionError } from '../../src/lance/caption-error.js'
import { articleBefore } from '../../src/lance/clinical/articles.js'
import { LANCE_KINDS } from '../../src/lance/language-model/instructions.js'
import { naturalLexicon } from '../../src/lance/natural/lexicon.js'
import { naturalPerturber } from '../../src/lance/natural/natural-perturber.js'

const caption = 'A photo of a man riding a red bicycle on a beach.'
const targets = (kind: (typeof LANCE_KINDS)[number], text = caption) =>
  naturalPerturber({ kinds: [kind] })(text).map(({ target }) => target)

test.each([
  ['subject', 'A photo of a boy riding a red bicycle on a beach.'],
  ['object', 'A photo of a man riding a red skateboard on a beach.'],
  ['adjective', 'A photo of a man riding an orange bicycle on a beach.'],
  ['background', 'A photo of a man riding a red bicycle in a forest.'],
  ['domain', 'An oil painting of a man riding a red bicycle on a beach.'],
  ['weather', 'A photo of a man riding a red bicycle on a beach in the rain.'],
] as const)('%s', (kind, expected) => {
  expect(targets(kind)).toContain(expected)
})

describe('grammar', () => {
  it('keeps number, case and articles', () => {
    expect(targets('subject', 'Two dogs on the grass')).toContain('Two sheep on the grass')
    expect(targets('subject', 'Dogs on the grass')).toContain('Cats on the grass')
    expect(targets('subject', 'a dog')).toContain('an elephant')
    expect(targets('adjective', 'a dog')).toContain('an orange dog')
    expect(targets('domain', 'A dog')).toContain('A sketch of a dog')
    expect(targets('weather', 'a dog on a sunny day')).toContain('a dog in the rain')
    for (const { target } of naturalPerturber()(caption))
      for (const [, article, next] of target.matchAll(/\b(an?) (\p{L}+)/giu))
        expect(article!.toLowerCase(), target).toBe(articleBefore(next!))
  })

  it('changes one stretch of words, names the kind, and repeats nothing', () => {
    const made = naturalPerturber()(caption)
    expect(new Set(made.map(({ kind }) => kind))).toEqual(new Set(LANCE_KINDS))
    expect(new Set(made.map(({ target }) => target)).size).toBe(made.length)
    for (const { words, target } of made) {
      expect(target).not.toBe(caption)
      expect(words.replaced.length + Number(words.inserted.length > 0), target).toBeGreaterThan(0)
    }
  })
})

test('a user extends the lexicon', () => {
  const lexicon = {
    ...naturalLexicon,
    subjects: [...naturalLexicon.subjects, ['robot/robots', 'android/androids']],
  }
  const made = naturalPerturber({ kinds: ['subject'], lexicon, count: 1 })('a robot')
  expect(made.map(({ target }) => target)).toEqual(['an android'])
  expect(targets('subject', 'a robot')).toEqual([])
})

test('an empty caption and a count out of range are refused', () => {
  expect(() => naturalPerturber()(' ')).toThrow(CaptionError)
  expect(() => naturalPerturber({ count: 0 })).toThrow('count')
})
