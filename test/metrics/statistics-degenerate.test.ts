import { describe, expect, test } from 'vitest'
import { ArgumentError } from '../../src/core/index.js'
import * as s from '../../src/metrics/statistics/index.js'
import { near } from './statistics-fixture.js'

const twelve = Array.from({ length: 12 }, (_, i) => i / 7)

describe('bootstrap', () => {
  const of = (rows: readonly number[], more: Partial<s.BootstrapOptions<number>> = {}) =>
    s.bootstrap({ rows, statistic: s.mean, resamples: 200, ...more })

  test('all equal: no width, flagged', () => {
    const { interval, flags } = of(new Array(12).fill(0.1))
    expect(interval.high - interval.low).toBeLessThan(1e-15)
    expect(flags).toEqual(['all-equal'])
  })
  test('one patient with many rows: no interval, flagged', () => {
    const { interval, flags, n, patients } = of(twelve, { patients: twelve.map(() => 'p') })
    expect([interval.low, interval.high]).toEqual([Number.NaN, Number.NaN])
    expect({ flags, n, patients }).toEqual({ flags: ['one-patient'], n: 12, patients: 1 })
  })
  test('few patients are flagged; ten are not few', () => {
    expect(of(twelve.slice(0, 9)).flags).toEqual(['few-patients'])
    expect(of(twelve.slice(0, 10)).flags).toEqual([])
  })
  test('a statistic that some resamples lack is counted and flagged', () => {
    const rows = twelve.map((score, i) => ({ score, label: i >= 10 }))
    const auc = (cases: typeof rows) =>
      s.rocAuc(
        cases.map((c) => c.score),
        cases.map((c) => c.label),
      )
    const { flags, resamples } = s.bootstrap({ rows, statistic: (r) => auc([...r]), resamples: 300 })
    expect(flags).toContain('undefined-resamples')
    expect(resamples).toBeLessThan(300)
  })
  test('a statistic that the data lack has no interval', () => {
    const { estimate, interval, flags } = of(twelve, { statistic: () => Number.NaN })
    expect([estimate, interval.low]).toEqual([Number.NaN, Number.NaN])
    expect(flags).toEqual(['undefined-resamples', 'undefined-estimate'])
  })
  test('all resamples on one side: percentile bounds, said so', () => {
    const { interval, flags } = of(twelve, {
      statistic: (rows) => new Set(rows).size, // a resample never holds more distinct rows than the data
      method: 'bca',
      resamples: [twelve.map((_, i) => i % 11), twelve.map((_, i) => i % 9)],
    })
    expect(interval).toMatchObject({ method: 'percentile' })
    expect(flags).toEqual(['one-sided-resamples'])
  })
  test('the same seed gives the same interval, another seed another', () => {
    expect(of(twelve, { seed: 3 })).toEqual(of(twelve, { seed: 3 }))
    expect(of(twelve, { seed: 3 }).interval).not.toEqual(of(twelve, { seed: 4 }).interval)
  })
  test('rows of a patient stay together', () => {
    const patients = twelve.map((_, i) => i % 4)
    s.bootstrap({
      rows: twelve,
      patients,
      resamples: 50,
      statistic: (rows) => {
        const count = (patient: number) =>
          rows.filter((row) => patients[twelve.indexOf(row)] === patient).length
        for (const patient of [0, 1, 2, 3]) expect(count(patient) % 3).toBe(0)
        return rows[0]!
      },
    })
  })
  test('a median moves in steps: nothing to studentise, expanded BCa, flagged', () => {
    const median = (rows: readonly number[]) =>
      s.sampleQuantile(
        [...rows].sort((a, b) => a - b),
        0.5,
      )
    const { interval, flags } = of(twelve, { statistic: median })
    expect(interval.method).toBe('bca-expanded')
    expect(interval).toEqual(of(twelve, { statistic: median, method: 'bca-expanded' }).interval)
    expect(flags).toEqual(['no-standard-error'])
  })
  test('two patients: from the one to the other, flagged', () => {
    const { interval, flags } = of([1, 2])
    expect(interval).toMatchObject({ low: 1, high: 2, method: 'bca-expanded' })
    expect(flags).toEqual(['few-patients', 'no-standard-error'])
  })
  test('bounds stay where the statistic can be', () => {
    const pairs = twelve.map((x, i) => [x, x + 0.3 * Math.sin(3 * i)] as const)
    const { interval } = s.bootstrap({
      rows: pairs,
      resamples: 300,
      statistic: (rows) =>
        s.partialCorrelation(
          rows.map(([x]) => x),
          rows.map(([, y]) => y),
        ).r,
    })
    expect(interval.method).toBe('bootstrap-t')
    expect(interval.high).toBeLessThan(1)
    const shares = Array.from({ length: 30 }, (_, i) => Number(i > 2))
    const share = of(shares).interval
    expect(share.low).toBeGreaterThan(0.6)
    expect(share.high).toBeLessThanOrEqual(1)
  })
  test('a mean by sums is the mean of the rows', () => {
    const patients = twelve.map((_, i) => i % 5)
    const [bySums, byRows] = [s.mean, (rows: readonly number[]) => s.mean(rows)].map((statistic) =>
      of(twelve, { patients, statistic }),
    )
    expect(bySums!.interval.low).toBeCloseTo(byRows!.interval.low, 12)
    expect(bySums!.interval.high).toBeCloseTo(byRows!.interval.high, 12)
  })
  test('up to sixty patients are studentised, more are not unless asked', () => {
    const rows = Array.from({ length: 61 }, (_, i) => Math.sin(i))
    expect(of(rows.slice(0, 60)).interval.method).toBe('bootstrap-t')
    expect(of(rows).interval.method).toBe('bca-expanded')
    expect(of(rows, { method: 'bootstrap-t' }).interval.method).toBe('bootstrap-t')
  })
  test('skewed to the right: the studentised interval reaches further right', () => {
    const rows = Array.from({ length: 30 }, (_, i) => -Math.log((i + 0.5) / 30))
    const { estimate, interval } = of(rows, { resamples: 2000 })
    expect(interval.high - estimate).toBeGreaterThan(1.3 * (estimate - interval.low))
    const mirrored = of(
      rows.map((value) => -value),
      { resamples: 2000 },
    ).interval
    expect(mirrored.low).toBeCloseTo(-interval.high, 12)
    expect(mirrored.high).toBeCloseTo(-interval.low, 12)
  })
  test('the expanded interval is wider, and close at many patients', () => {
    const width = (rows: number[], method: 'bca' | 'bca-expanded') => {
      const { low, high } = of(rows, { method, resamples: 1500 }).interval
      return high - low
    }
    expect(width(twelve, 'bca-expanded') / width(twelve, 'bca')).toBeGreaterThan(1.08)
    const many = Array.from({ length: 400 }, (_, i) => Math.sin(i))
    expect(width(many, 'bca-expanded') / width(many, 'bca')).toBeLessThan(1.02)
  })
  test.each([
    ['no rows', { rows: [] }],
    ['fewer patients than rows', { patients: ['a'] }],
    ['an empty id', { patients: twelve.map((_, i) => (i ? i : '')) }],
    ['level 1', { level: 1 }],
    ['a seed of 0.5', { seed: 0.5 }],
    ['no resamples', { resamples: 0 }],
    ['indices out of range', { resamples: [[12]] }],
  ] as [string, Partial<s.BootstrapOptions<number>>][])('refuses %s', (_, more) => {
    expect(() => of(twelve, more)).toThrow(ArgumentError)
  })
})

test('sign flips of nothing, of one patient, and of many', () => {
  expect(s.signFlipTest([0, 0, 0])).toMatchObject({ p: 1, flags: ['all-zero'] })
  expect(s.signFlipTest([1, 2, 3], { patients: ['a', 'a', 'a'] })).toMatchObject({
    p: 1,
    flips: 2,
    flags: ['one-patient'],
  })
  const many = Array.from({ length: 40 }, (_, i) => 1 + Math.sin(i))
  expect(s.signFlipTest(many, { resamples: 999 })).toMatchObject({ p: 1 / 1000, exact: false, flips: 1000 })
  expect(() => s.signFlipTest(many, { exact: true })).toThrow('at most 20 patients')
})

test('twenty patients are still counted in full', () => {
  expect(s.signFlipTest(new Array(20).fill(1))).toMatchObject({ p: 2 / 2 ** 20, exact: true })
})

test('random flips come close to all flips', () => {
  const values = [0.2, -0.1, 0.4, 0.3, -0.2, 0.5, 0.1, -0.3, 0.2, 0.1, 0.25, -0.15]
  const [all, some] = [true, false].map((exact) => s.signFlipTest(values, { exact }).p)
  expect(Math.abs(all! - some!)).toBeLessThan(4 * Math.sqrt((all! * (1 - all!)) / 9999))
})

test('max-T: a cell of zeros, a cell without variance, one patient', () => {
  const { t, adjusted, flags } = s.maxT([
    [0, 0, 0, 0],
    [1, 1, 1, 1],
    [1, -1, 2, 0.5],
  ])
  expect(t.slice(0, 2)).toEqual([0, Number.POSITIVE_INFINITY])
  expect(adjusted.slice(0, 2)).toEqual([1, 2 / 16])
  expect(flags).toEqual([['all-zero'], [], []])
  expect(s.maxT([[3]])).toMatchObject({ adjusted: [1], flags: [['one-patient']] })
  expect(() => s.maxT([])).toThrow(ArgumentError)
  expect(() => s.maxT([[1, 2], [1]])).toThrow(ArgumentError)
})

test('max-T is never below the test of the cell alone', () => {
  const cells = [twelve.map((v, i) => v * (i % 3 ? 1 : -1)), twelve.map((v) => Math.cos(9 * v))]
  const { adjusted } = s.maxT(cells)
  for (const [i, cell] of cells.entries()) {
    expect(adjusted[i]!).toBeGreaterThanOrEqual(s.signFlipTest(cell).p - 1e-12)
  }
})

test('DeLong: one class, perfect separation, all equal, two alike', () => {
  const scores = [1, 2, 3, 4]
  expect(s.delongAuc(scores, [1, 1, 1, 1])).toMatchObject({ auc: Number.NaN, flags: ['one-class'] })
  expect(s.delongAuc(scores, [0, 0, 1, 1])).toMatchObject({ auc: 1, variance: 0, flags: ['zero-variance'] })
  expect(s.delongAuc([5, 5, 5, 5], [0, 1, 0, 1])).toMatchObject({
    auc: 0.5,
    variance: 0,
    flags: ['zero-variance'],
  })
  expect(s.delongTest(scores, scores, [0, 1, 0, 1])).toMatchObject({ z: 0, p: 1, flags: ['zero-variance'] })
  expect(s.delongTest(scores, scores, [1, 1, 1, 1])).toMatchObject({ p: Number.NaN, flags: ['one-class'] })
  expect(() => s.delongAuc([1, Number.NaN], [0, 1])).toThrow('scores[1] = NaN')
  expect(() => s.delongAuc([1, 2], [0, 2])).toThrow('labels[1] = 2')
  expect(() => s.delongAuc([], [])).toThrow(ArgumentError)
  expect(() => s.delongTest([1, 2], [1], [0, 1])).toThrow(ArgumentError)
})

test('equivalence without variance answers by the mean; one patient answers nothing', () => {
  const flat = (value: number) => s.tost([value, value, value], { margin: 0.2 })
  expect(flat(0.1)).toMatchObject({ p: 0, equivalent: true, flags: ['zero-variance'] })
  expect(flat(0.3)).toMatchObject({ p: 1, equivalent: false, flags: ['zero-variance'] })
  expect(s.tost([0, 0], { margin: 1, patients: ['a', 'a'] })).toMatchObject({
    p: Number.NaN,
    equivalent: false,
    flags: ['one-patient'],
  })
  expect(() => s.tost([1, 2], { margin: 0 })).toThrow('lower bound below')
  expect(() => s.tost([1, 2], { margin: 1, alpha: 0.5 })).toThrow(ArgumentError)
})

test('shares of none and of all end at 0 and 1 and are not certain', () => {
  expect(s.wilson(0, 10).interval.low).toBe(0)
  expect(s.wilson(0, 10).interval.high).toBeGreaterThan(0.2)
  expect(s.wilson(10, 10).interval.high).toBe(1)
  for (const [hits, n] of [
    [0, 0],
    [-1, 3],
    [4, 3],
    [1.5, 3],
    [Number.NaN, 3],
    [1, Number.POSITIVE_INFINITY],
  ]) {
    expect(() => s.wilson(hits!, n!)).toThrow(ArgumentError)
  }
  expect(() => s.wilson(1, 3, 1)).toThrow(ArgumentError)
})

test('strata that say nothing are left out and flagged', () => {
  const tables: s.TwoByTwo[] = [
    [5, 3, 2, 6],
    [0, 0, 4, 5],
  ]
  expect(s.mantelHaenszel(tables)).toMatchObject({ oddsRatio: 5, strata: 1, n: 16, flags: ['empty-strata'] })
  expect(s.mantelHaenszel([[0, 0, 4, 5]])).toMatchObject({ oddsRatio: Number.NaN, p: Number.NaN, strata: 0 })
  expect(s.mantelHaenszel([[5, 0, 2, 6]])).toMatchObject({ flags: ['zero-cells'] })
  expect(s.mantelHaenszel([[5, 0, 2, 6]], { haldane: 'never' }).oddsRatio).toBe(Number.POSITIVE_INFINITY)
  expect(() => s.mantelHaenszel([])).toThrow(ArgumentError)
  expect(() => s.mantelHaenszel([[1, -1, 2, 3]])).toThrow('stratum 0')
  expect(s.stratify([true, false, true, false], [true, true, false, false], ['f', 'f', 'm', 'm'])).toEqual([
    [1, 0, 1, 0],
    [0, 1, 0, 1],
  ])
})

test('nothing left to correlate is flagged, not rounded noise', () => {
  const doubled = twelve.map((v) => 2 * v + 1)
  expect(s.generalisedCovariance(twelve, twelve.map(Math.cos), [doubled])).toMatchObject({
    p: Number.NaN,
    flags: ['collinear'],
  })
  expect(s.partialCorrelation(twelve, new Array(12).fill(3))).toMatchObject({
    r: Number.NaN,
    flags: ['collinear'],
  })
  expect(s.partialCorrelation(twelve, doubled)).toMatchObject({ p: 0, flags: [] })
  const one = { patients: twelve.map(() => 1) }
  expect(s.generalisedCovariance(twelve, twelve.map(Math.cos), [], one).flags).toEqual(['one-patient'])
  expect(() => s.partialCorrelation([1, 2, 3], [1, 2, 4])).toThrow('number of rows')
  expect(() => s.fisherZ({ r: 1.1, n: 10 })).toThrow(ArgumentError)
})

test.each([s.holm, s.benjaminiHochberg, s.benjaminiYekutieli])('%o refuses what is no p-value', (adjust) => {
  for (const bad of [[], [0.1, Number.NaN], [-0.1], [1.1]]) expect(() => adjust(bad)).toThrow(ArgumentError)
  expect(adjust([0.3])).toEqual([0.3])
  expect(adjust([1, 1, 1])).toEqual([1, 1, 1])
})

test('every test refuses values that are not finite, by index', () => {
  const bad = [1, Number.NaN, 2, 3, 4]
  const good = [1, 5, 2, 3, 4]
  for (const call of [
    () => s.signFlipTest(bad),
    () => s.maxT([good, bad]),
    () => s.tost(bad, { margin: 1 }),
    () => s.generalisedCovariance(bad, good, []),
    () => s.generalisedCovariance(good, good, [bad]),
    () => s.partialCorrelation(good, bad),
    () => s.isotonic(bad),
    () => s.mean(bad),
  ]) {
    expect(call).toThrow(/\[1\] = NaN/)
  }
})

describe('slope', () => {
  test('of a line is exact, and of one x is undefined', () => {
    expect(s.slope([1, 2, 4], [5, 7, 11])).toBe(2)
    expect(s.slope([3, 3, 3], [1, 2, 3])).toBeNaN()
  })
  test('lists of two lengths, empty lists and NaN are refused', () => {
    for (const [x, y] of [
      [[1, 2], [1]],
      [[], []],
      [
        [1, Number.NaN],
        [1, 2],
      ],
    ]) {
      expect(() => s.slope(x!, y!)).toThrow(ArgumentError)
    }
  })
})

test('numbers too small to be squared have the bounds of others', () => {
  const unit = 2 ** -570
  const statistics = [0.2, 1.4, 0.9, 2.1, 1.2, 0.7, 1.8, 1.1, 0.4, 1.6]
  const patients = [
    [1, 3, 4, 9],
    [0, 2, 7, 8],
    [2, 2, 5, 6],
  ]
  const bounds = (of: number) =>
    s.bootstrapTBounds({
      values: statistics.map((value) => of * value),
      errors: statistics.map((value) => of * (0.2 + 0.3 * value)),
      ...{ estimate: of * 1.1, error: of * 0.5, level: 0.8 },
    })!
  for (const end of ['low', 'high'] as const) near(bounds(unit)[end] / unit, bounds(1)[end])
  for (const values of patients)
    near(s.jackknifeError(values.map((value) => unit * value)) / unit, s.jackknifeError(values))
  expect(s.jackknifeError([unit, unit])).toBe(0)
})
