import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { fid, gaussianAccumulator, kid } from '../../src/metrics/index.js'
import goldens from '../fixtures/metrics-images.json' with { type: 'json' }

const rows = (n: number, d: number, value: (i: number, j: number) => number) =>
  tf.tensor2d(
    Float32Array.from({ length: n * d }, (_, k) => value(Math.floor(k / d), k % d)),
    [n, d],
  )
const toyA = () => rows(40, 4, (i, j) => Math.sin(0.7 * i + 1.3 * j) + (j === 1 ? 0.1 * i : 0))
const toyB = () => rows(40, 4, (i, j) => Math.cos(0.9 * i - 0.4 * j) + 0.05 * j)
const wave = (n: number, phase: number) =>
  rows(n, 12, (i, j) => Math.sin(0.7 * i * (j + 1) + 1.3 * j + phase) + 0.1 * Math.cos(i * i * 0.3 + j))
const near = (found: number, wanted: number, relative = 1e-6) =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(relative * Math.abs(wanted))

describe('fid', () => {
  test('the toy, and pytorch-fid of other features', async () => {
    const [a, b, c, d] = [toyA(), toyB(), wave(60, 0), wave(50, 0.5)]
    near((await fid(a, b)).value, 6.113535178)
    near((await fid(a, b)).value, goldens.fid.toy)
    near((await fid(c, d)).value, goldens.fid.sines)
    tf.dispose([a, b, c, d])
  })

  test('streamed in batches, past the width, it is the same', async () => {
    const [a, b] = [toyA(), toyB()]
    const [one, two] = [gaussianAccumulator(4), gaussianAccumulator(4)]
    for (let i = 0; i < 40; i += 3) {
      const size = Math.min(3, 40 - i)
      const parts = [tf.slice(a, [i, 0], [size, 4]), tf.slice(b, [i, 0], [size, 4])] as const
      await one.add(parts[0])
      await two.add(parts[1])
      tf.dispose([...parts])
    }
    near((await fid(one.summary(), two.summary())).value, (await fid(a, b)).value, 1e-9)
    tf.dispose([a, b])
  })

  test('no more samples than features: the value of the formula, and a warning; one sample: NaN', async () => {
    const [few, many, single] = [wave(8, 0), wave(50, 0.5), wave(1, 0)]
    const { value, warnings, counts } = await fid(few, many)
    expect(value).toBeGreaterThan(0)
    expect(warnings).toEqual([expect.stringMatching(/images: 8 samples of 12 features/)])
    expect(counts).toEqual([8, 50])
    const alone = await fid(single, many)
    expect(alone.value).toBeNaN()
    expect(alone.warnings).toHaveLength(1)
    tf.dispose([few, many, single])
  })

  test('a covariance of rank one, streamed, is no obstacle', async () => {
    const line = rows(30, 6, (i, j) => i * (j + 1))
    const moved = rows(30, 6, (i, j) => i * (j + 1) + 1)
    const accumulators = [gaussianAccumulator(6), gaussianAccumulator(6)] as const
    await accumulators[0].add(line)
    await accumulators[1].add(moved)
    near((await fid(accumulators[0].summary(), accumulators[1].summary())).value, 6)
    tf.dispose([line, moved])
  })
})

describe('kid', () => {
  const estimators = ['unbiased', 'u-statistic', 'biased'] as const
  test.each(estimators)('%s', async (estimator) => {
    const [a, b, c, d] = [toyA(), toyB(), wave(50, 0), wave(50, 0.5)]
    near((await kid(a, b, { estimator })).value, goldens.kid[estimator].toy)
    near((await kid(c, d, { estimator })).value, goldens.kid[estimator].sines)
    if (estimator === 'unbiased') near((await kid(a, b)).value, 14.612657900705297)
    tf.dispose([a, b, c, d])
  })

  test('subsets are seeded, and equal sets scatter about 0', async () => {
    const [a, b] = [wave(60, 0), wave(50, 0.5)]
    const options = { subsets: 20, subsetSize: 30 }
    const [one, again, other] = [
      await kid(a, b, { ...options, seed: 3 }),
      await kid(a, b, { ...options, seed: 3 }),
      await kid(a, b, { ...options, seed: 4 }),
    ]
    expect(again).toEqual(one)
    expect(other.value).not.toBe(one.value)
    expect(one.subsets).toEqual([20, 30])
    expect(one.deviation).toBeGreaterThan(0)
    tf.dispose([a, b])
  })
})

describe('bad features', () => {
  test.each(['fid', 'kid'] as const)('%s', async (name) => {
    const metric = { fid, kid }[name]
    const [a, narrow, bad, empty] = [
      wave(20, 0),
      toyA(),
      rows(20, 12, () => Number.NaN),
      tf.zeros<tf.Rank.R2>([0, 12]),
    ]
    await expect(metric(a, narrow)).rejects.toThrow(/one width/)
    await expect(metric(a, bad)).rejects.toThrow(/finite/)
    await expect(metric(empty, a)).rejects.toThrow(/at least 1/)
    tf.dispose([a, narrow, bad, empty])
  })
  test('kid refuses options out of bounds', async () => {
    const a = toyA()
    await expect(kid(a, a, { subsets: 0 })).rejects.toThrow(/subsets/)
    await expect(kid(a, a, { subsetSize: 1 })).rejects.toThrow(/subsetSize/)
    await expect(kid(a, a, { seed: -1 })).rejects.toThrow(/seed/)
    await expect(kid(a, a, { estimator: 'other' as 'biased' })).rejects.toThrow(/estimator/)
    a.dispose()
  })
})
