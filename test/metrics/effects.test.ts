import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArgumentError } from '../../src/core/index.js'
import { averageEffect, doseResponse, fourCorner } from '../../src/metrics/effects/index.js'
import { near, statistics } from './statistics-fixture.js'

const quick = { resamples: 200 }
const wave = Array.from({ length: 24 }, (_, i) => ({ patient: `p${i >> 1}`, noise: Math.sin(3 * i) }))

test('the average effect is of the edit less the reconstruction, net of the sham', () => {
  const rows = wave.map(({ patient, noise }) => ({
    patient,
    reconstruction: 0.3 + 0.1 * noise,
    edited: 0.7 + 0.1 * noise + 0.01 * noise ** 2,
    sham: 0.35 + 0.1 * noise + 0.02 * noise,
  }))
  const { effect, sham, net, verdict, equivalence } = averageEffect(rows, quick)
  near(net!.estimate, effect.estimate - sham!.estimate, 1e-12)
  expect(effect).toMatchObject({ n: 24, patients: 12, seed: 0, flags: [] })
  expect(net!.interval.low).toBeGreaterThan(0.3)
  expect(verdict).toBe('moved')
  near(equivalence!.margin, (sham!.interval.high - sham!.interval.low) / 2, 1e-12)
  expect(equivalence!.equivalent).toBe(false)
})

test('no movement is claimed from equivalence, never from a large p', () => {
  const still = wave.map(({ patient, noise }) => ({ patient, reconstruction: 0, edited: 0.1 * noise }))
  expect(averageEffect(still, { ...quick, margin: 0.5 }).verdict).toBe('did not move')
  expect(averageEffect(still, { ...quick, margin: 1e-4 }).verdict).toBe('undecided')
  const alone = averageEffect(still, quick)
  expect(alone).toMatchObject({ verdict: 'undecided', equivalence: null, sham: null, net: null })
})

test('one patient moves nothing', () => {
  const rows = wave.map(({ noise }) => ({ patient: 'only', reconstruction: 0, edited: 1 + noise }))
  const { effect, verdict } = averageEffect(rows, quick)
  expect(effect.p).toBe(1)
  expect(effect.flags).toEqual(['one-patient'])
  expect(verdict).toBe('undecided')
})

test('bad rows are refused', () => {
  const row = { patient: 1, reconstruction: 0, edited: 1 }
  expect(() => averageEffect([], quick)).toThrow(ArgumentError)
  expect(() => averageEffect([row, { ...row, sham: 1 }], quick)).toThrow('1 shams in 2 rows')
  expect(() => averageEffect([{ ...row, edited: Number.NaN }], quick)).toThrow(ArgumentError)
})

// Y = bA A + bM M + bI A M with M = aA A, A from 0 to 1.
test('four corners give the effects of the linear model with an interaction', () => {
  const [aA, bA, bM, bI] = [0.5, 0.3, 0.8, 0.2]
  const y = (a: number, m: number) => bA * a + bM * m + bI * a * m
  const rows = [0, 1, 2].map((patient) => ({
    patient,
    neither: patient + y(0, 0),
    attribute: patient + y(1, 0),
    mediator: patient + y(0, aA),
    both: patient + y(1, aA),
  }))
  const { total, direct, pureIndirect, totalIndirect, interaction, scope } = fourCorner(rows, quick)
  near(total.estimate, 0.8, 1e-12)
  near(direct.estimate, 0.3, 1e-12)
  near(pureIndirect.estimate, 0.4, 1e-12)
  near(totalIndirect.estimate, 0.5, 1e-12)
  near(interaction.estimate, 0.1, 1e-12)
  expect(direct.flags).toContain('all-equal')
  expect(scope).toContain('not of patients')
})

test('the parts of an effect add up', () => {
  const corner = fc.double({ min: -10, max: 10, noNaN: true })
  const rows = fc.array(fc.record({ neither: corner, attribute: corner, mediator: corner, both: corner }), {
    minLength: 2,
    maxLength: 6,
  })
  fc.assert(
    fc.property(rows, (corners) => {
      const result = fourCorner(
        corners.map((corner, patient) => ({ ...corner, patient })),
        { resamples: 5 },
      )
      const { total, direct, pureIndirect, totalIndirect, interaction } = result
      expect(total.estimate).toBeCloseTo(direct.estimate + totalIndirect.estimate, 9)
      expect(interaction.estimate).toBeCloseTo(totalIndirect.estimate - pureIndirect.estimate, 9)
    }),
    { numRuns: 25 },
  )
})

const { dose, response, slope, fit } = statistics.isotonic
const doses = dose.map((d, i) => ({ patient: i % 4, dose: d, response: response[i]! }))

test('the slope agrees with scipy and the curve with scikit-learn', () => {
  const result = doseResponse(doses, quick)
  near(result.slope.estimate, slope)
  expect(result.direction).toBe('increasing')
  expect(result.curve.map(({ n }) => n)).toEqual([4, 4, 4, 4, 4, 4])
  for (const [i, { response }] of result.curve.entries()) near(response, fit[i]!)
})

test('a mirrored response has a mirrored curve', () => {
  const mirrored = doseResponse(
    doses.map((row) => ({ ...row, response: -row.response })),
    quick,
  )
  expect(mirrored.direction).toBe('decreasing')
  for (const [i, { response }] of mirrored.curve.entries()) near(-response, fit[i]!)
})

test('the crossing is on the line between two doses', () => {
  const rows = [0, 1, 2, 3].flatMap((dose) =>
    [0, 1, 2].map((patient) => ({ patient, dose, response: dose ** 2 })),
  )
  const { crossing, flags } = doseResponse(rows, { ...quick, threshold: 2.5 })
  near(crossing!.estimate, 1.5, 1e-12)
  expect(flags).toEqual([])
  expect(doseResponse(rows, { ...quick, threshold: 20 }).flags).toEqual(['no-crossing'])
})

test('one dose has no slope', () => {
  const { slope, flags, curve } = doseResponse(
    doses.map((row) => ({ ...row, dose: 1 })),
    quick,
  )
  expect(slope.estimate).toBeNaN()
  expect(flags).toEqual(['constant-dose'])
  expect(curve).toHaveLength(1)
  expect(() => doseResponse([{ patient: 1, dose: Number.NaN, response: 0 }])).toThrow('rows[0].dose')
})
