import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { isEmptyDiff, wordDiff } from '../../src/lance/word-diff.js'
import { alignWords, plainWords } from '../../src/lance/words/align-words.js'
import historic from '../fixtures/lance-ndiff.json' with { type: 'json' }

const source = 'Chest X-ray with cardiomegaly and support devices'
const old = 'Chest X-ray of 85-years old male subject with cardiomegaly.'

// What a reader expects. The first two are the paper's own pairs.
test.each([
  [source, 'Chest X-ray with no cardiomegaly', ['and', 'support', 'devices'], ['no'], []],
  [source, 'Chest X-ray with no support devices', ['cardiomegaly', 'and'], ['no'], []],
  [source, 'Chest X-ray with support devices', ['cardiomegaly', 'and'], [], []],
  [source, `${source}.`, [], [], []],
  ['chest x-ray', 'Chest X-ray.', [], [], []],
  [old, old.replace('85', '40'), [], [], [['85-years', '40-years']]],
  [old, old.replace('male', 'female'), [], [], [['male', 'female']]],
  ['a photo of a cat', 'a photo of two cats', [], [], [['a cat', 'two cats']]],
  ['X-ray with A', 'X-ray without A', [], [], [['with', 'without']]],
  ['with no edema and no effusion', 'with no effusion', ['no', 'edema', 'and'], [], []],
  ['with no edema and no effusion', 'with no edema', ['and', 'no', 'effusion'], [], []],
  ['with mild edema', 'with severe edema', [], [], [['mild', 'severe']]],
  ['', 'edema', [], ['edema'], []],
] as const)('%j → %j', (from, to, deleted, inserted, replaced) => {
  expect(wordDiff(from, to)).toEqual({ deleted, inserted, replaced })
})

describe('any two captions', () => {
  const caption = fc.array(fc.constantFrom('no', 'with', 'edema', 'and', 'mild,', 'Effusion.'), {
    maxLength: 9,
  })
  const text = caption.map((words) => words.join(' '))

  it('keeps as many words as the longest common subsequence', () => {
    const length = (a: readonly string[], b: readonly string[]): number => {
      if (a.length === 0 || b.length === 0) return 0
      if (a[0] === b[0]) return 1 + length(a.slice(1), b.slice(1))
      return Math.max(length(a.slice(1), b), length(a, b.slice(1)))
    }
    const key = (words: string) => plainWords(words).map((word) => word.toLowerCase())
    fc.assert(
      fc.property(text, text, (a, b) => {
        const changes = alignWords(a, b)
        const kept = changes.filter(({ kind }) => kind === 'kept').flatMap(({ from }) => from)
        expect(kept.length).toBe(length(key(a), key(b)))
        expect(changes.flatMap(({ from }) => from)).toEqual(plainWords(a))
        expect(changes.flatMap(({ to }) => to)).toEqual(plainWords(b))
        expect(isEmptyDiff(wordDiff(a, b))).toBe(key(a).join(' ') === key(b).join(' '))
      }),
      { seed: 4, numRuns: 400 },
    )
  })
})

describe("the historic diff, dialect 'lance-2023'", () => {
  const words = (from: string, to: string) => wordDiff(from, to, { dialect: 'lance-2023' }).replaced[0]

  test.each([
    [source, 'Chest X-ray with no cardiomegaly', 'and support devices', 'no'],
    [source, 'Chest X-ray with no support devices', 'cardiomegaly and', 'no'],
    ['a photo of a cat', 'a photo of two cats', 'a', 'cats    +\n'],
    ['Chest X-ray of 85-years old subject', 'Chest X-ray of 40-years old subject', 'x-ray', '40-years'],
  ])('%j → %j gives %j, %j', (from, to, original, edit) => {
    expect(words(from, to)).toEqual([original, edit])
    // The default gives none of it: the defect is fixed, not kept.
    expect(wordDiff(from, to).replaced).not.toContainEqual([original, edit])
  })

  it("equals Python's ndiff on 400 pairs", () => {
    expect(historic).toHaveLength(400)
    for (const [from, to, original, edit] of historic) {
      const { deleted, inserted, replaced } = wordDiff(from!, to!, { dialect: 'lance-2023' })
      const [before, after] = replaced[0] ?? [deleted.join(), inserted.join()]
      expect([before, after], `${from} → ${to}`).toEqual([original, edit])
    }
  })
})
