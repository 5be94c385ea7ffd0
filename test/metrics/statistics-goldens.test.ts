import { expect, test } from 'vitest'
import * as s from '../../src/metrics/statistics/index.js'
import { near, statistics as reference } from './statistics-fixture.js'

const allNear = (actual: readonly number[], wanted: readonly number[], tolerance?: number) => {
  expect(actual).toHaveLength(wanted.length)
  for (const [i, value] of actual.entries()) near(value, wanted[i]!, tolerance)
}

test('distributions agree with scipy, tails included', () => {
  const { z, p, x, df, ...wanted } = reference.distributions
  allNear(z.map(s.normalCdf), wanted.normalCdf, 1e-12)
  allNear(p.map(s.normalQuantile), wanted.normalQuantile, 1e-12)
  for (const [i, v] of df.entries()) {
    allNear(
      z.map((t) => s.studentTCdf(t, v)),
      wanted.tCdf[i]!,
      1e-12,
    )
    allNear(
      p.map((q) => s.studentTQuantile(q, v)),
      wanted.tQuantile[i]!,
      1e-12,
    )
    allNear(
      x.map((c) => s.chiSquareCdf(c, v)),
      wanted.chi2Cdf[i]!,
      1e-12,
    )
    allNear(
      x.map((c) => s.chiSquareCdf(c, v, true)),
      wanted.chi2Upper[i]!,
      1e-11,
    )
    allNear(
      p.map((q) => s.chiSquareQuantile(q, v)),
      wanted.chi2Quantile[i]!,
      1e-12,
    )
  }
})

test('published goldens', () => {
  const p = [0.001, 0.008, 0.012, 0.03, 0.04, 0.2, 0.5, 0.74]
  allNear(s.benjaminiHochberg(p), [0.008, 0.032, 0.032, 0.06, 0.064, 0.8 / 3, 4 / 7, 0.74])
  allNear(s.holm(p), [0.008, 0.056, 0.072, 0.15, 0.16, 0.6, 1, 1])
  const d = [0.02, 0.11, -0.03, 0.07, 0.15, 0.01, 0.09, 0.3, -0.02, 0.05]
  near(s.mean(d), 0.075)
  const without = d.map((_, left) => s.mean(d.filter((_, i) => i !== left)))
  near(s.acceleration(without), 0.0624143593, 1e-8)
  expect(s.signFlipTest(d)).toMatchObject({ p: 26 / 1024, exact: true, flips: 1024, flags: [] })
  const { z, p: pz } = s.fisherZ({ r: 0.3, n: 50, conditioning: 2 })
  near(z, 2.0763206261, 1e-10)
  near(pz, 0.0378643069, 1e-8)
})

test('adjusted p-values agree with statsmodels', () => {
  const { p, holm, bh, by } = reference.multiplicity
  allNear(s.holm(p), holm)
  allNear(s.benjaminiHochberg(p), bh)
  allNear(s.benjaminiYekutieli(p), by)
})

test('clustered intervals agree with scipy, and with bootstrap-t integrated by it, on the same resamples', () => {
  const { patients, values, second, indices, intervals } = reference.bootstrap
  const rows = values.map((value, i) => ({ value, second: second[i]! }))
  type Row = (typeof rows)[number]
  const statistics: Record<string, (rows: readonly Row[]) => number> = {
    mean: (rows) => s.mean(rows.map((row) => row.value)),
    ratio: (rows) => s.mean(rows.map((row) => row.second)) / s.mean(rows.map((row) => row.value)),
    correlation: (rows) =>
      s.partialCorrelation(
        rows.map((row) => row.value),
        rows.map((row) => row.second),
      ).r,
  }
  for (const [name, wanted] of Object.entries(intervals)) {
    for (const method of ['percentile', 'bca', 'bootstrap-t'] as const) {
      const { interval, flags } = s.bootstrap({
        rows,
        patients,
        statistic: statistics[name]!,
        resamples: indices,
        level: 0.9,
        method,
      })
      allNear([interval.low, interval.high], wanted[method]!, 1e-9)
      expect({ method: interval.method, flags }).toEqual({ method, flags: [] })
    }
  }
})

test('sign flips and max-T agree with a count of every flip', () => {
  const { differences, exact, t, maxT } = reference.flips
  for (const [i, alternative] of (['two-sided', 'greater', 'less'] as const).entries()) {
    near(s.signFlipTest(differences[0]!, { alternative }).p, exact[i]!)
  }
  const ours = s.maxT(differences)
  expect(ours.exact).toBe(true)
  allNear(ours.t, t)
  allNear(ours.adjusted, maxT)
})

test('DeLong agrees with the formulas over all pairs', () => {
  const { label, first, second, auc, variance, z, p } = reference.delong
  const one = s.delongAuc(first, label)
  near(one.auc, auc[0]!)
  near(one.variance, variance[0]!)
  near(s.delongAuc(second, label).variance, variance[1]!)
  near(s.rocAuc(second, label), auc[1]!)
  const both = s.delongTest(first, second, label)
  near(both.z, z)
  near(both.p, p)
})

test('two one-sided tests agree with statsmodels', () => {
  const { values, low, high, p, pLower, pUpper, interval } = reference.tost
  const ours = s.tost(values, { margin: [low, high] })
  allNear([ours.p, ours.pLower, ours.pUpper], [p, pLower, pUpper])
  allNear([ours.interval.low, ours.interval.high], interval)
  expect(ours.equivalent).toBe(p <= 0.05)
})

test('Mantel-Haenszel agrees with statsmodels', () => {
  for (const [name, wanted] of Object.entries(reference.mantelHaenszel)) {
    const ours = s.mantelHaenszel(wanted.tables)
    allNear(
      [ours.oddsRatio, ours.logStandardError, ours.interval.low, ours.interval.high, ours.chiSquare, ours.p],
      [wanted.oddsRatio, wanted.logStandardError, ...wanted.interval, wanted.chiSquare, wanted.p],
    )
    const corrected = s.mantelHaenszel(wanted.tables, { continuity: true })
    allNear([corrected.chiSquare, corrected.p], [wanted.chiSquareContinuity, wanted.pContinuity])
    expect(ours.flags).toEqual(name === 'holed' ? ['zero-cells'] : [])
  }
})

test('shares agree with statsmodels', () => {
  const { hits, n, intervals } = reference.wilson
  for (const [level, wanted] of Object.entries(intervals)) {
    for (const [i, [low, high]] of wanted.entries()) {
      const { share, interval } = s.wilson(hits[i]!, n[i]!, Number(level))
      expect(share).toBe(hits[i]! / n[i]!)
      near(interval.low, low, 1e-12)
      near(interval.high, high, 1e-12)
      expect(interval).toMatchObject({ level: Number(level), method: 'wilson' })
    }
  }
})

test('conditional independence agrees with scikit-learn residuals and scipy', () => {
  const { x, y, z, T, pT, r, fisher, pFisher, pearsonInterval } = reference.independence
  const gcm = s.generalisedCovariance(x, y, z)
  allNear([gcm.statistic, gcm.p], [T, pT])
  const partial = s.partialCorrelation(x, y, z)
  allNear([partial.r, partial.z, partial.p], [r, fisher, pFisher])
  const { interval } = s.partialCorrelation(x, y)
  allNear([interval.low, interval.high], pearsonInterval)
})

test('isotonic regression agrees with scikit-learn', () => {
  const { values, weights, plain, weighted } = reference.isotonic
  allNear(s.isotonic(values), plain)
  allNear(s.isotonic(values, weights), weighted)
})
