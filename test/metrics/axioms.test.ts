import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AbortError, ArgumentError, ShapeError } from '../../src/core/index.js'
import {
  aboveFloor,
  composition,
  type Distance,
  effectiveness,
  minimality,
  noiseFloor,
  reversibility,
} from '../../src/metrics/axioms/index.js'
import { near } from './statistics-fixture.js'

// The mean absolute difference, written again here: an axiom needs no more of a metric.
const distance: Distance = async (x, y) => {
  const values = tf.tidy(() => x.sub(y).abs().mean([1, 2, 3]))
  const perImage = [...(await values.data())]
  values.dispose()
  return { metric: 'l1', dialect: 'mine', perImage }
}
const shift = (amount: number) => (x: tf.Tensor4D) => x.add<tf.Tensor4D>(amount)

let images: tf.Tensor4D
beforeEach(() => {
  images = tf.tensor4d([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [2, 2, 2, 1])
})
afterEach(() => images.dispose())

test('composition measures m null edits in a row', async () => {
  const results = await composition(images, shift(0.01), { times: [10, 1], distance })
  expect(results.map(({ times }) => times)).toEqual([1, 10])
  near(results[0]!.value, 0.01, 1e-5)
  near(results[1]!.value, 0.1, 1e-5)
  expect(results[1]).toMatchObject({ axiom: 'composition', metric: 'l1', dialect: 'mine', n: 2 })
})

test('an edit that returns its argument moves nothing and frees nothing', async () => {
  const [once] = await composition(images, (x) => x, { times: [3], distance })
  expect(once!.value).toBe(0)
  expect(images.isDisposed).toBe(false)
})

test('reversibility applies both edits each time', async () => {
  const results = await reversibility(images, shift(0.3), shift(-0.2), { times: [1, 2], distance })
  near(results[0]!.value, 0.1, 1e-5)
  near(results[1]!.value, 0.2, 1e-5)
})

test('the noise floor has one result per way, and stands beside an axiom', async () => {
  const floor = await noiseFloor(images, { vae: shift(0.02), nullEdit: (x) => x }, { distance })
  expect(floor.map(({ axiom }) => axiom)).toEqual(['noise floor: vae', 'noise floor: nullEdit'])
  near(floor[0]!.value, 0.02, 1e-5)
  const [moved] = await composition(images, shift(0.05), { times: [1], distance })
  const above = aboveFloor(moved!, floor[0]!, { resamples: 50 })
  near(above.estimate, 0.03, 1e-5)
  expect(above.flags).toContain('few-patients')
  expect(() => aboveFloor(moved!, { ...floor[0]!, metric: 'lpips' })).toThrow('lpips (mine)')
})

test('effectiveness reads the edited pictures', async () => {
  const predict = async (x: tf.Tensor4D) => {
    const means = tf.tidy(() => x.mean([1, 2, 3]))
    const values = [...(await means.data())]
    means.dispose()
    return values.map((value) => [value])
  }
  const seen = await effectiveness(images, { edit: shift(0.1), predict, intended: [false, true] })
  expect(seen).toMatchObject({ auc: 1, accuracy: 1, f1: 1, n: 2 })
  const numeric = await effectiveness(images, { edit: (x) => x, predict, intended: [0.15, 0.5] })
  near(numeric.mae, 0.025, 1e-5)
  await expect(effectiveness(images, { edit: (x) => x, predict, intended: [true] })).rejects.toThrow(
    ArgumentError,
  )
})

test('failures free what they made', async () => {
  const halved = (x: tf.Tensor4D) => x.slice([0, 0, 0, 0], [1, -1, -1, -1])
  await expect(composition(images, halved, { distance })).rejects.toThrow(ShapeError)
  const whole: Distance = async () => ({ metric: 'fid', dialect: 'x', perImage: null })
  await expect(composition(images, shift(0), { distance: whole })).rejects.toThrow('fid, which has one')
  await expect(composition(images, shift(0), { distance, times: [] })).rejects.toThrow(ArgumentError)
  await expect(composition(images, shift(0), { distance, times: [0] })).rejects.toThrow(ArgumentError)
  const signal = AbortSignal.abort()
  await expect(composition(images, shift(0), { distance, signal })).rejects.toThrow(AbortError)
})

test('minimality rewards leaving the own class by the nearest way', () => {
  const populations = { toCounterfactualClass: [3, 4, 5, 6], toFactualClass: [1, 2, 3, 4] }
  const at = (divergence: number) => minimality({ divergence, ...populations })
  near(at(4), Math.log(0.8 * Math.exp(0.5) + 0.2 * Math.exp(0.25)), 1e-12)
  expect(at(0)).toBeLessThan(at(5))
  expect(at(10)).toBeCloseTo(Math.log(0.8 * Math.E + 0.2), 12)
  expect(() => minimality({ divergence: 1, toCounterfactualClass: [], toFactualClass: [1] })).toThrow(
    ArgumentError,
  )
  expect(() => minimality({ divergence: Number.NaN, ...populations })).toThrow(ArgumentError)
})
