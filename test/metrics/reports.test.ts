import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ArgumentError } from '../../src/core/index.js'
import {
  type ComparisonRow,
  compareMethods,
  comparisonTable,
  libraryVersion,
  report,
  reportMetric,
  toCsv,
  toJson,
  toMarkdown,
} from '../../src/metrics/reports/index.js'
import { bootstrap, mean, signFlipTest } from '../../src/metrics/statistics/index.js'
import { near } from './statistics-fixture.js'

const quick = { resamples: 300, seed: 5 }
const l1 = { metric: 'l1', dialect: 'mean', range: [0, 1] as const, value: 0, warnings: [] }
const perImage = Array.from({ length: 24 }, (_, i) => 0.2 + 0.05 * Math.sin(5 * i))

test('reports carry the version of the package', () => {
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8'))
  expect(libraryVersion).toBe(version)
})

test('a metric becomes a report with its interval over patients', () => {
  const patients = perImage.map((_, i) => i >> 1)
  const one = reportMetric({ ...l1, n: 24, perImage }, { ...quick, patients, labels: { method: 'ddim' } })
  expect(one).toMatchObject({
    metric: 'l1',
    dialect: 'mean',
    range: [0, 1],
    n: 24,
    patients: 12,
    seed: 5,
    version: libraryVersion,
    flags: [],
    labels: { method: 'ddim' },
  })
  const { estimate, interval } = bootstrap({ ...quick, rows: perImage, patients, statistic: mean })
  expect({ estimate: one.estimate, interval: one.interval }).toEqual({ estimate, interval })
})

test('pictures without a value are counted, never skipped in silence', () => {
  const values = [...perImage, Number.NaN]
  expect(reportMetric({ ...l1, n: 25, perImage: values }, quick)).toMatchObject({
    n: 24,
    flags: ['undefined-rows'],
  })
  const none = reportMetric({ ...l1, n: 1, perImage: [Number.NaN] }, quick)
  expect(none).toMatchObject({ n: 0, estimate: Number.NaN, interval: null, flags: ['undefined-rows'] })
  const infinite = [...perImage, Number.POSITIVE_INFINITY]
  expect(() => reportMetric({ ...l1, n: 25, perImage: infinite })).toThrow('at picture 24')
  expect(() => reportMetric({ ...l1, n: 24, perImage }, { patients: ['a'] })).toThrow(ArgumentError)
})

test('a metric of whole sets has no interval', () => {
  const fid = { ...l1, metric: 'fid', range: null, n: 500, value: 12.5, perImage: null, warnings: ['few'] }
  expect(reportMetric(fid)).toMatchObject({ estimate: 12.5, interval: null, seed: null, warnings: ['few'] })
})

test('a number without a definition is refused', () => {
  expect(() => report({ metric: 'l1', dialect: '', n: 3, estimate: 1 })).toThrow(ArgumentError)
  expect(() => report({ metric: 'l1', dialect: 'mean', n: 1.5, estimate: 1 })).toThrow(ArgumentError)
})

const odd = report({
  metric: 'cpg',
  dialect: 'signed, "logit"',
  n: 3,
  estimate: Number.NaN,
  labels: { method: 'a|b', note: 'two\nlines' },
  flags: ['one-class'],
})

test('JSON keeps undefined numbers apart from absent ones', () => {
  const back = JSON.parse(toJson([odd]))[0]
  expect(back).toMatchObject({ estimate: 'NaN', interval: null, p: null })
})

test('CSV quotes what must be quoted', () => {
  const [header, ...lines] = toCsv([odd]).split('\r\n')
  expect(header!.split(',').slice(0, 4)).toEqual(['method', 'note', 'metric', 'dialect'])
  expect(lines[0]).toMatch(/^a\|b,"two\nlines",cpg,"signed, ""logit""",,3,,NaN,/)
  expect(lines).toEqual([lines[0], ''])
})

test('Markdown is one line per row, with as many cells as columns', () => {
  const lines = toMarkdown([odd, report({ metric: 'l1', dialect: 'mean', n: 3, estimate: 0.123456 })])
    .trim()
    .split('\n')
  expect(lines).toHaveLength(4)
  const cells = lines.map((line) => line.replaceAll('\\|', '').split('|').length)
  expect(new Set(cells).size).toBe(1)
  expect(lines[3]).toContain('| 0.1235 |')
})

const observed = (shift: number, wobble: number) =>
  perImage.map((value, i) => ({
    key: `${i}.png`,
    patient: i >> 1,
    value: value + shift + wobble * Math.cos(7 * i),
  }))
const row = (methods: ComparisonRow['methods'], better: 'higher' | 'lower' = 'lower'): ComparisonRow => ({
  intervention: 'no cardiomegaly',
  metric: 'l1',
  dialect: 'mean',
  range: [0, 1],
  better,
  methods,
})

test('methods are compared on the same pictures, whatever their order', () => {
  const scm = observed(0.1, 0.01)
  const table = compareMethods([row({ vlm: observed(0, 0), scm: scm.toReversed() })], quick)
  const [difference] = table.rows[0]!.differences
  const gaps = perImage.map((_, i) => 0.1 + 0.01 * Math.cos(7 * i))
  near(difference!.estimate, mean(gaps))
  expect(difference!.interval.high - difference!.interval.low).toBeLessThan(0.02)
  near(difference!.p, signFlipTest(gaps, { patients: perImage.map((_, i) => i >> 1), ...quick }).p)
  expect(difference).toMatchObject({ method: 'scm', verdict: 'worse' })
  expect(table.rows[0]!.reports.map((one) => one.labels.method)).toEqual(['vlm', 'scm'])
  expect(table.rows[0]!.reports[0]).toMatchObject({ n: 24, patients: 12 })
})

test('p-values are adjusted over the whole table, and direction is of the metric', () => {
  const rows = [
    row({ vlm: observed(0, 0), scm: observed(0.1, 0.01) }, 'higher'),
    row({ vlm: observed(0, 0), scm: observed(0, 0.05) }),
  ]
  const { rows: compared } = compareMethods(rows, quick)
  const [first, second] = compared.map(({ differences }) => differences[0]!)
  near(first!.adjusted, 2 * first!.p)
  expect(first!.verdict).toBe('better')
  expect(second!.verdict).toBe('undecided')
})

test('equal methods are undecided, and flagged', () => {
  const [only] = compareMethods([row({ a: observed(0, 0), b: observed(0, 0) })], quick).rows
  expect(only!.differences[0]).toMatchObject({ estimate: 0, p: 1, verdict: 'undecided' })
  expect(only!.differences[0]!.flags).toEqual(['all-equal', 'all-zero'])
})

test('the table has a row per intervention and a column per method and difference', () => {
  const comparison = compareMethods([row({ vlm: observed(0, 0), scm: observed(0.1, 0.01) })], quick)
  const table = comparisonTable(comparison)
  expect(table.columns).toEqual(['intervention', 'metric', 'n', 'vlm', 'scm', 'scm - vlm'])
  expect(toMarkdown(table)).toMatch(
    /\| no cardiomegaly \| l1 \(mean\) ↓ \| 24 \| 0\.\d+ \[0\.\d+, 0\.\d+\] \|/,
  )
  expect(toMarkdown(table)).toContain(', worse |')
  expect(JSON.parse(toJson(comparison)).rows[0].differences[0].estimate).toBeGreaterThan(0)
})

test.each([
  [
    'a picture that one method lacks',
    { a: observed(0, 0), b: observed(0, 0).slice(1) },
    '1 that b lacks (0.png)',
  ],
  ['a picture twice', { a: observed(0, 0), b: [...observed(0, 0), observed(0, 0)[0]!] }, 'twice for b'],
  [
    'two patients for one picture',
    { a: observed(0, 0), b: observed(0, 0).map((o) => ({ ...o, patient: 99 })) },
    'of 99 and of 0',
  ],
  ['one method', { a: observed(0, 0) }, 'at least two methods'],
  ['NaN', { a: observed(0, 0), b: observed(Number.NaN, 0) }, 'finite numbers'],
  ['nothing', { a: [], b: [] }, 'got 0'],
] as const)('refuses %s', (_, methods, message) => {
  expect(() => compareMethods([row(methods)], quick)).toThrow(ArgumentError)
  expect(() => compareMethods([row(methods)], quick)).toThrow(message)
})

test('an unknown baseline is refused', () => {
  const rows = [row({ a: observed(0, 0), b: observed(0, 0) })]
  expect(() => compareMethods(rows, { baseline: 'c' })).toThrow('"c"')
})
