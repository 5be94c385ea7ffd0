import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Attributes,
  counterfactual,
  effusionRisk,
  patient,
  seedOf,
  structuralEquations,
} from '../../examples/phantom/causal-graph.js'

const population = Array.from({ length: 20_000 }, (_, i) => patient(seedOf('training', i)).attributes)
const share = (of: (a: Attributes) => boolean, among: (a: Attributes) => boolean = () => true) => {
  const members = population.filter(among)
  return members.filter(of).length / members.length
}
const hasDevice = (a: Attributes) => a.pacemaker || a.line

describe('the causal graph', () => {
  it('plants the pacemaker with cardiomegaly among those with a device', () => {
    expect(
      share(
        (a) => a.pacemaker,
        (a) => hasDevice(a) && a.cardiomegaly,
      ),
    ).toBeCloseTo(0.9, 1)
    expect(
      share(
        (a) => a.pacemaker,
        (a) => hasDevice(a) && !a.cardiomegaly,
      ),
    ).toBeLessThan(0.07)
    expect(
      share(
        (a) => a.pacemaker,
        (a) => hasDevice(a) && !a.cardiomegaly,
      ),
    ).toBeGreaterThan(0.03)
  })

  it('gives the line no share in it', () => {
    const gap =
      share(
        (a) => a.line,
        (a) => a.cardiomegaly,
      ) -
      share(
        (a) => a.line,
        (a) => !a.cardiomegaly,
      )
    expect(Math.abs(gap)).toBeLessThan(0.02)
  })

  it('lets effusion rise with age, by its stated risk', () => {
    for (const [from, to] of [
      [20, 35],
      [50, 60],
      [80, 90],
    ] as const) {
      const seen = share(
        (a) => a.effusion,
        (a) => a.age >= from && a.age <= to,
      )
      expect(Math.abs(seen - effusionRisk((from + to) / 2))).toBeLessThan(0.06)
    }
  })

  it('supports every combination of cardiomegaly, pacemaker and line', () => {
    for (let bits = 0; bits < 8; bits++) {
      const [cardiomegaly, pacemaker, line] = [1, 2, 4].map((bit) => (bits & bit) > 0)
      const found = population.filter(
        (a) => a.cardiomegaly === cardiomegaly && a.pacemaker === pacemaker && a.line === line,
      )
      expect(found.length, `${cardiomegaly} ${pacemaker} ${line}`).toBeGreaterThan(10)
    }
  })

  it('has uniform ages of 20 to 90 and sexes in balance', () => {
    const ages = population.map(({ age }) => age)
    expect([Math.min(...ages), Math.max(...ages)]).toEqual([20, 90])
    expect(ages.reduce((sum, age) => sum + age, 0) / ages.length).toBeCloseTo(55, 0)
    expect(share((a) => a.sex === 'female')).toBeCloseTo(0.5, 1)
  })

  it('keeps the splits apart', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), (i, j) => {
        const seeds = [seedOf('training', i), seedOf('detectors', j), seedOf('held-out', i)]
        expect(new Set(seeds).size).toBe(3)
        expect(seeds.map((seed) => seed % 3)).toEqual([0, 1, 2])
      }),
    )
  })
})

describe('counterfactual', () => {
  it('changes the named attribute alone and keeps noise and nuisances', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const factual = patient(seed)
        const other = counterfactual(factual, { cardiomegaly: !factual.attributes.cardiomegaly })
        expect(other).toEqual({
          ...factual,
          attributes: { ...factual.attributes, cardiomegaly: !factual.attributes.cardiomegaly },
        })
      }),
    )
  })

  it('propagates along the arrows, and only along them', () => {
    const without = Array.from({ length: 2000 }, (_, seed) => patient(seed))
      .filter(({ attributes: a }) => a.cardiomegaly && a.pacemaker)
      .map((factual) => ({
        factual,
        after: counterfactual(factual, { cardiomegaly: false }, { propagate: true }),
      }))
    const kept = without.filter(({ after }) => after.attributes.pacemaker).length / without.length
    expect(kept).toBeLessThan(0.1)
    for (const { factual, after } of without)
      for (const name of ['sex', 'age', 'effusion', 'line'] as const)
        expect(after.attributes[name]).toBe(factual.attributes[name])
  })

  it('gives back the factual attributes when nothing is intervened on', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const { exogenous, attributes } = patient(seed)
        expect(structuralEquations(exogenous)).toEqual(attributes)
      }),
    )
  })
})
