import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { type BackendName, useBackend } from '../../src/backend/index.js'
import { ShapeError } from '../../src/core/index.js'
import {
  featureIdentity,
  type LpipsNet,
  l1,
  lpips,
  lpipsShapes,
  mse,
  msSsim,
  type PairMetric,
  psnr,
  ssim,
  structureDistance,
} from '../../src/metrics/index.js'
import { fromTorch } from '../../src/nn/index.js'
import { networkWeights } from './network-weights.js'
import { pictures } from './pictures.js'

const features = (x: tf.Tensor4D) => tf.tidy(() => tf.mean(x, [1, 2]) as tf.Tensor2D)
const patches = (x: tf.Tensor4D) =>
  tf.tidy(() => tf.reshape(tf.avgPool(x, 44, 44, 'valid'), [x.shape[0], 16, x.shape[3]]) as tf.Tensor3D)

// Before the members, because LPIPS owns tensors.
await useBackend((process.env.CONTRAFACT_BACKEND ?? 'wasm') as BackendName)
const named = networkWeights(lpipsShapes('alex'))

// A new metric of pairs joins by one line.
const members: readonly PairMetric[] = [
  l1(),
  mse(),
  psnr(),
  psnr({ dialect: 'pooled' }),
  ssim(),
  ssim({ dialect: 'scikit-image' }),
  ssim({ dialect: 'torchmetrics-1.9' }),
  msSsim(),
  msSsim({ dialect: 'torchmetrics-1.9' }),
  featureIdentity(features),
  featureIdentity(features, { threshold: 0.5 }),
  structureDistance(patches),
  lpips(named),
  lpips(named, { dialect: 'torchmetrics-1.9' }),
]

const side = 176
const one = () => pictures([2, side, side, 3], (b, i, j, c) => ((3 * i + 5 * j + 7 * c + 11 * b) % 64) / 63)
const other = () => pictures([2, side, side, 3], (b, i, j, c) => ((2 * i + 9 * j + c + b) % 50) / 49)

describe.each(members)('$metric $dialect', (metric) => {
  test('a result says what it is; identity and symmetry hold', async () => {
    const [x, y] = [one(), other()]
    const result = await metric(x, y)
    expect(result).toMatchObject({ metric: metric.metric, dialect: metric.dialect, range: [0, 1], n: 2 })
    expect(result.perImage).toHaveLength(2)
    expect(Number.isFinite(result.value)).toBe(true)
    const self = await metric(x, x)
    if (metric.identity === Number.POSITIVE_INFINITY) expect(self.value).toBe(metric.identity)
    else if (metric.identity !== null) expect(self.value).toBeCloseTo(metric.identity, 6)
    if (metric.symmetric) expect((await metric(y, x)).value).toBeCloseTo(result.value, 9)
    tf.dispose([x, y])
  })

  test('what would be a wrong number is an error', async () => {
    const x = one()
    const bad: readonly (readonly [string, tf.Tensor4D, RegExp])[] = [
      ['another size', tf.zeros([2, side, side + 1, 3]), /one shape/],
      ['another count', tf.zeros([1, side, side, 3]), /one shape/],
      ['other channels', tf.zeros([2, side, side, 1]), /one shape/],
      ['no picture', tf.zeros([0, side, side, 3]), /none of them 0/],
      ['NaN', tf.fill([2, side, side, 3], Number.NaN), /finite/],
      ['infinity', tf.fill([2, side, side, 3], Number.POSITIVE_INFINITY), /finite/],
      ['[0, 255]', tf.fill([2, side, side, 3], 200), /in \[0, 1\]/],
      ['[-1, 1]', tf.fill([2, side, side, 3], -0.5), /in \[0, 1\]/],
    ]
    for (const [name, y, message] of bad) {
      await expect(metric(x, y), name).rejects.toThrow(message)
      y.dispose()
    }
    x.dispose()
  })
})

test('too small for the window', async () => {
  const x = tf.zeros<tf.Rank.R4>([1, 10, 100, 1])
  await expect(ssim()(x, x)).rejects.toThrow(/at least 11/)
  await expect(msSsim()(x, x)).rejects.toThrow(/at least 176/)
  x.dispose()
})

const ofZeros = (name: string, shape: readonly number[]) =>
  fromTorch(name, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))

test.each([
  ['alex', 31],
  ['vgg', 16],
  ['squeeze', 17],
] as const)('%s sees pictures from %i pixels on, and three channels', async (net: LpipsNet, smallest) => {
  // Weights of zeros suffice: a tap without pixels would have a mean of NaN.
  const weights = new Map([...lpipsShapes(net)].map(([name, shape]) => [name, ofZeros(name, shape)]))
  const metric = lpips(weights, { net })
  const of = (side: number, channels = 3) =>
    pictures([1, side, smallest, channels], (_, i, j, c) => ((3 * i + j + c) % 7) / 7)
  const [x, flat, small, grey] = [of(smallest), of(smallest), of(smallest - 1), of(smallest, 1)]
  const y = tf.mul<tf.Tensor4D>(flat, 0.5)
  expect((await metric(x, y)).value).toBe(0)
  await expect(metric(small, small)).rejects.toThrow(ShapeError)
  await expect(metric(small, small)).rejects.toThrow(`at least ${smallest}`)
  await expect(metric(grey, grey)).rejects.toThrow(ShapeError)
  await expect(metric(grey, grey)).rejects.toThrow(/Repeat the grey channel/)
  tf.dispose([x, y, flat, small, grey, ...weights.values()])
})

test('pixels in [0, 1] under a range of [0, 255] are refused', async () => {
  const x = tf.fill<tf.Rank.R4>([1, 16, 16, 1], 0.5)
  await expect(l1({ range: [0, 255] })(x, x)).rejects.toThrow(/look like pixels in \[0, 1\]/)
  x.dispose()
})

test('options out of bounds', () => {
  expect(() => ssim({ dialect: 'other' as 'wang2004' })).toThrow(/dialect/)
  expect(() => msSsim({ dialect: 'other' as 'valid' })).toThrow(/dialect/)
  expect(() => psnr({ dialect: 'other' as 'pooled' })).toThrow(/dialect/)
  expect(() => l1({ range: [1, 0] })).toThrow(/low < high/)
  expect(() => featureIdentity(features, { threshold: 2 })).toThrow(/threshold/)
})
