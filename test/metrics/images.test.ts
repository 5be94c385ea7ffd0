import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { l1, type MetricResult, mse, msSsim, type PairMetric, psnr, ssim } from '../../src/metrics/index.js'
import goldens from '../fixtures/metrics-images.json' with { type: 'json' }
import { pairA, sines } from './pictures.js'

const range = [0, 255] as const
const metrics: Readonly<Record<string, PairMetric>> = {
  l1: l1({ range }),
  mse: mse({ range }),
  'psnr per-image': psnr({ range }),
  'psnr pooled': psnr({ range, dialect: 'pooled' }),
  'ssim wang2004': ssim({ range }),
  'ssim scikit-image': ssim({ range, dialect: 'scikit-image' }),
  'ssim torchmetrics-1.9': ssim({ range, dialect: 'torchmetrics-1.9' }),
  'ms-ssim torchmetrics-1.9': msSsim({ range, dialect: 'torchmetrics-1.9' }),
}
const makers: Readonly<Record<string, () => [tf.Tensor4D, tf.Tensor4D]>> = {
  'A 64': () => pairA(64),
  'A 192': () => pairA(192),
  'sines 3x40x3': () => [sines(3, 40, 0), sines(3, 40, 0.4)],
  'sines 2x180x3': () => [sines(2, 180, 0), sines(2, 180, 0.4)],
}
const near = (found: number, wanted: number, relative = 1e-6) =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(relative * Math.abs(wanted))

async function score(metric: PairMetric, pair: [tf.Tensor4D, tf.Tensor4D]): Promise<MetricResult> {
  const result = await metric(...pair)
  tf.dispose(pair)
  return result
}

describe('against the implementations that the dialects name', () => {
  const cases = Object.entries(goldens.pairs).flatMap(([pair, values]) =>
    Object.entries(values).map(([name, wanted]) => [pair, name, wanted] as const),
  )
  test.each(cases)('%s: %s', async (pair, name, wanted) => {
    const result = await score(metrics[name]!, makers[pair]!())
    if (Array.isArray(wanted)) wanted.forEach((each: number, i) => near(result.perImage![i]!, each))
    else near(result.value, wanted as number)
  })
})

describe('the whole-number goldens', () => {
  const table: readonly (readonly [string, PairMetric, number, number])[] = [
    ['L1 / 255', l1({ range }), 0.133688534, 0.1306093835],
    ['MSE', mse({ range }), 1743.3449707, 1663.7273763],
    ['PSNR', psnr({ range }), 15.71697028, 15.91998198],
    ['SSIM scikit-image', ssim({ range, dialect: 'scikit-image' }), 0.7641052751, 0.743808563],
    ['SSIM Wang', ssim({ range }), 0.7601128391, 0.7372450142],
    ['SSIM torchmetrics 1.9', ssim({ range, dialect: 'torchmetrics-1.9' }), 0.748164454, 0.7367556869],
  ]
  test.each(table)('%s', async (_, metric, at64, at192) => {
    near((await score(metric, pairA(64))).value, at64)
    near((await score(metric, pairA(192))).value, at192)
  })

  test('MS-SSIM', async () => {
    near((await score(msSsim({ range }), pairA(192))).value, 0.8645794986)
    near((await score(metrics['ms-ssim torchmetrics-1.9']!, pairA(192))).value, 0.8646641162)
  })

  test('a doubled range moves SSIM in silence, which is why it is stated', async () => {
    // Stated as [-127.5, 382.5], the pixels fit, and L is twice what it should be.
    const doubled = [-127.5, 382.5] as const
    const dialect = 'scikit-image'
    const [wrong64, wrong192] = [
      await score(ssim({ range: doubled, dialect }), pairA(64)),
      await score(ssim({ range: doubled, dialect }), pairA(192)),
    ]
    near(wrong64.value, 0.7716786494)
    near(wrong192.value, 0.7531435981)
  })
})

test('the same pictures in another range have the same SSIM, PSNR and L1', async () => {
  const [x, y] = pairA(64)
  const inUnit: [tf.Tensor4D, tf.Tensor4D] = [tf.div(x, 255), tf.div(y, 255)]
  for (const make of [ssim, psnr, l1]) {
    near((await make()(...inUnit)).value, (await make({ range })(x, y)).value)
  }
  tf.dispose([x, y, inUnit])
})

test('equal pictures have infinite PSNR, with a warning', async () => {
  const [x, y] = pairA(64)
  const { value, warnings } = await psnr({ range })(x, x)
  expect(value).toBe(Number.POSITIVE_INFINITY)
  expect(warnings).toHaveLength(1)
  tf.dispose([x, y])
})

test('negative scales of MS-SSIM count as 0, with a warning', async () => {
  const [x, y] = pairA(192)
  const negative = tf.sub(255, x) as tf.Tensor4D
  const { value, warnings } = await msSsim({ range })(x, negative)
  expect(value).toBe(0)
  expect(warnings[0]).toMatch(/negative/)
  tf.dispose([x, y, negative])
})
