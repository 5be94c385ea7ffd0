import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, type TokenizedPrompt, type Tokenizer } from '../../src/core/index.js'
import {
  align,
  clipTokenizer,
  crossReplaceSchedule,
  refineMapper,
  replaceMapper,
  reweightVector,
  vocabularyOfMerges,
} from '../../src/text/index.js'
import { sd1 } from './clip-files.js'

const S = 49406
const E = 49407
const tokenized = (...tokens: number[]): TokenizedPrompt => {
  const ids = [S, ...tokens, E]
  return {
    prompt: '',
    ids: [...ids, ...new Array(77 - ids.length).fill(E)],
    length: ids.length,
    truncated: '',
  }
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const short = tokenized(1, 2, 3, 4, 5, 1, 6)

describe('align', () => {
  it('prefers insertion to deletion to a mismatched pair', () => {
    expect(align([1], [2])).toEqual([-1])
    expect(align([1, 1], [1])).toEqual([0])
    expect(align([1], [1, 1])).toEqual([0, -1])
    expect(align([], [3])).toEqual([-1])
    expect(align([3], [])).toEqual([])
  })

  it('finds a longest common subsequence', () => {
    const tokens = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 })
    fc.assert(
      fc.property(tokens, tokens, (source, target) => {
        const found = align(source, target)
        const pairs = found.flatMap((from, to) => (from < 0 ? [] : [[from, to] as const]))
        for (const [k, [from, to]] of pairs.entries()) {
          expect(source[from]).toBe(target[to])
          if (k > 0) expect(from).toBeGreaterThan(pairs[k - 1]![0])
        }
        expect(pairs.length).toBe(commonLength(source, target))
      }),
      { seed: 4 },
    )
  })
})

function commonLength(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 0
  let row = new Array<number>(b.length + 1).fill(0)
  for (const x of a) {
    const next = [0]
    for (const [j, y] of b.entries()) next.push(x === y ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!))
    row = next
  }
  return row.at(-1)!
}

describe('refineMapper', () => {
  it('swaps', () => {
    const { mapper, alphas } = refineMapper(short, tokenized(1, 7, 3, 4, 5, 1, 6))
    expect(mapper).toEqual([0, 1, -1, ...range(3, 77)])
    expect(alphas).toEqual([1, 1, 0, ...new Array(74).fill(1)])
  })

  it('inserts', () => {
    const target = tokenized(1, 8, 2, 9, 3, 4, 5, 1, 6)
    const { mapper, alphas } = refineMapper(short, target, { dialect: 'google-2022' })
    expect(mapper).toEqual([0, 1, -1, 2, -1, 3, 4, 5, 6, 7, 8, ...range(11, 77)])
    expect(alphas.flatMap((alpha, i) => (alpha === 0 ? [i] : []))).toEqual([2, 4])
    expect(refineMapper(short, target).mapper).toEqual([0, 1, -1, 2, -1, 3, 4, 5, 6, 7, 8, ...range(9, 75)])
  })

  it('deletes without letting padding take the attention of the deleted words', () => {
    const source = tokenized(11, 12, 13, 14, 15, 16, 17)
    const target = tokenized(11, 12, 13, 18, 14)
    const safe = refineMapper(source, target)
    expect(safe.mapper).toEqual([0, 1, 2, 3, -1, 4, 8, ...range(9, 77), 76, 76])
    expect(safe.alphas).toEqual([1, 1, 1, 1, 0, ...new Array(72).fill(1)])
    const historic = refineMapper(source, target, { dialect: 'google-2022' })
    expect(historic.mapper).toEqual([0, 1, 2, 3, -1, 4, 8, ...range(7, 77)])
    expect(historic.alphas).toEqual(safe.alphas)
  })

  it('agrees with the diffusers pipeline on real prompts', () => {
    const source = sd1.encode('a photo of a cat')
    const target = sd1.encode('a photo of a fluffy cat on a sofa')
    const historic = refineMapper(source, target, { dialect: 'google-2022' })
    expect(historic.mapper).toEqual([0, 1, 2, 3, 4, -1, 5, -1, -1, -1, 6, ...range(11, 77)])
    expect(historic.alphas.slice(0, 12)).toEqual([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1])
  })

  it('maps a prompt to itself by the identity, and stays inside the slots', () => {
    const tokens = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 75 })
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        const [x, y] = [tokenized(...a), tokenized(...b)]
        expect(refineMapper(x, x)).toEqual({ mapper: range(0, 77), alphas: new Array(77).fill(1) })
        const { mapper, alphas } = refineMapper(x, y)
        expect(mapper).toHaveLength(77)
        expect(mapper.slice(y.length).every((slot) => slot >= Math.min(x.length, 76))).toBe(true)
        expect(mapper.every((slot, i) => slot <= 76 && alphas[i] === (slot < 0 ? 0 : 1))).toBe(true)
      }),
      { seed: 5, numRuns: 50 },
    )
  })
})

// One token a letter, so that the number of tokens of a word is its length.
const letters = clipTokenizer({ vocab: vocabularyOfMerges([]), merges: '' })

function cells(matrix: Float32Array): Map<string, number> {
  return new Map(
    [...matrix].flatMap((v, i) => (v === 0 ? [] : [[`${Math.floor(i / 77)},${i % 77}`, v] as const])),
  )
}
const diagonal = (from: number, to: number, shift = 0): [string, number][] =>
  range(from, to).map((i) => [`${i},${i + shift}`, 1])

describe('replaceMapper', () => {
  const third = Math.fround(1 / 3)

  it('spreads a word over the tokens of its replacement and keeps the tail aligned', () => {
    const grown = replaceMapper(sd1, 'a chameleon on a leaf', 'a hippopotamus on a leaf')
    expect(cells(grown)).toEqual(
      new Map([
        ...diagonal(0, 2),
        ...([2, 3, 4].map((column) => [`2,${column}`, third]) as [string, number][]),
        ...diagonal(3, 75, 2),
        ['75,76', 1],
        ['76,76', 1],
      ]),
    )
    const shrunk = cells(replaceMapper(sd1, 'a hippopotamus on a leaf', 'a chameleon on a leaf'))
    expect([2, 3, 4].map((row) => shrunk.get(`${row},2`))).toEqual([1, 1, 1])
    expect([...shrunk].slice(5, 7)).toEqual(diagonal(5, 7, -2))
    expect([74, 75, 76].map((column) => shrunk.get(`76,${column}`))).toEqual([third, third, third])
  })

  it('has the historic tail under its dialect', () => {
    const matrix = replaceMapper(sd1, 'a chameleon on a leaf', 'a hippopotamus on a leaf', {
      dialect: 'google-2022',
    })
    expect(cells(matrix)).toEqual(
      new Map([
        ...diagonal(0, 2),
        ...([2, 3, 4].map((column) => [`2,${column}`, third]) as [string, number][]),
        ...diagonal(5, 77),
      ]),
    )
    // S w1 w2 w3 E, w2 of one token becomes two, and of two becomes one.
    const grown = cells(replaceMapper(letters, 'a b c', 'a bb c', { dialect: 'google-2022' }))
    expect([grown.get('2,2'), grown.get('2,3'), grown.get('4,4')]).toEqual([0.5, 0.5, 1])
    expect([...grown.keys()].some((cell) => cell.startsWith('3,'))).toBe(false)
    const shrunk = replaceMapper(letters, 'a bb c', 'a b c', { dialect: 'google-2022' })
    expect(rowSums(shrunk).slice(0, 5)).toEqual([1, 1, 1, 2, 1])
    expect(rowSums(shrunk).slice(-2)).toEqual([1, 0])
    expect(cells(replaceMapper(letters, 'a b c', 'a bb c')).get('3,4')).toBe(1)
  })

  it('is the identity where nothing changes, or words change one token for one', () => {
    const identity = new Map(diagonal(0, 77))
    for (const dialect of [undefined, 'google-2022'] as const) {
      expect(cells(replaceMapper(sd1, 'a photo of a cat', 'a photo of a cat', { dialect }))).toEqual(identity)
      expect(cells(replaceMapper(sd1, 'a photo of a cat', 'a photo of a dog', { dialect }))).toEqual(identity)
    }
  })

  it('keeps all attention: every row sums to one', () => {
    const words = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(words, (pairs) => {
        const source = pairs.map(([n]) => 'a'.repeat(n)).join(' ')
        const target = pairs.map(([, n]) => 'b'.repeat(n)).join(' ')
        for (const sum of rowSums(replaceMapper(letters, source, target))) expect(sum).toBeCloseTo(1, 6)
      }),
      { seed: 6, numRuns: 100 },
    )
  })

  it('needs as many words on both sides', () => {
    const call = () => replaceMapper(sd1, 'a photo of a cat', 'a photo of a fluffy cat')
    expect(call).toThrow(ArgumentError)
    expect(call).toThrow(/5 words .* 6 in .*refineMapper/)
  })
})

function rowSums(matrix: Float32Array): number[] {
  return range(0, 77).map((row) => matrix.subarray(row * 77, row * 77 + 77).reduce((a, b) => a + b, 0))
}

describe('reweightVector', () => {
  const target = 'a hippopotamus eats a leaf'
  const weigh = (weights: Record<string, number>, tokenizer: Tokenizer = sd1) => [
    ...reweightVector(tokenizer, target, weights),
  ]

  it('gives each word its own weight, on all of its tokens', () => {
    expect(weigh({ hippopotamus: 2, leaf: -0.5 })).toEqual([
      1,
      1,
      2,
      2,
      2,
      1,
      1,
      -0.5,
      ...new Array(69).fill(1),
    ])
    expect(weigh({})).toEqual(new Array(77).fill(1))
  })

  it('refuses words that are not there and weights that are no numbers', () => {
    expect(() => weigh({ cat: 2 })).toThrow(ArgumentError)
    expect(() => weigh({ leaf: Number.NaN })).toThrow('the weight of "leaf"')
  })
})

describe('crossReplaceSchedule', () => {
  const target = 'a squirrel eats a burger'
  const rowsOf = (schedule: number[][], token: number) =>
    schedule.flatMap((row, i) => (row[token] === 1 ? [i] : []))

  it('has the windows of the diffusers pipeline', () => {
    const schedule = crossReplaceSchedule(
      { steps: 10, default: 0.8, words: { squirrel: [0, 0.4] } },
      sd1,
      target,
    )
    expect(schedule).toHaveLength(11)
    expect(schedule.every((row) => row.length === 77)).toBe(true)
    expect(rowsOf(schedule, 1)).toEqual(range(0, 8))
    expect(rowsOf(schedule, 2)).toEqual(range(0, 4))
    expect(rowsOf(schedule, 76)).toEqual(range(0, 8))
  })

  it('reads windows as fractions of steps + 1', () => {
    expect(rowsOf(crossReplaceSchedule({ steps: 50, default: 0.8 }, sd1, target), 1)).toEqual(range(0, 40))
    expect(rowsOf(crossReplaceSchedule({ steps: 50, default: [0.2, 0.5] }, sd1, target), 1)).toEqual(
      range(10, 25),
    )
    expect(rowsOf(crossReplaceSchedule({ steps: 3 }, sd1, target), 0)).toEqual([0, 1, 2, 3])
    expect(rowsOf(crossReplaceSchedule({ steps: 1, default: 0 }, sd1, target), 0)).toEqual([])
  })

  it('refuses windows outside the steps', () => {
    for (const window of [1.1, -0.1, Number.NaN, [0.5, 0.2]] as (number | [number, number])[]) {
      expect(() => crossReplaceSchedule({ steps: 10, default: window }, sd1, target)).toThrow(ArgumentError)
    }
    expect(() => crossReplaceSchedule({ steps: 0 }, sd1, target)).toThrow('steps')
    expect(() => crossReplaceSchedule({ steps: 5, words: { cat: 1 } }, sd1, target)).toThrow(ArgumentError)
  })
})
