import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  inception,
  inceptionShapes,
  lpips,
  lpipsShapes,
  xrvDenseNet,
  xrvDenseNetShapes,
} from '../../src/metrics/index.js'
import { fromTorch } from '../../src/nn/index.js'
import goldens from '../fixtures/metrics-networks.json' with { type: 'json' }
import { hashUniform, hashWeight } from '../support/name-hash.js'

/** Weights by name; heads are not negative, and batch norms keep the size of the signal. */
function weights(shapes: ReadonlyMap<string, readonly number[]>): Map<string, tf.Tensor> {
  const value = (name: string, shape: readonly number[]) => {
    const plain = hashWeight(name, shape)
    if (name.startsWith('lin')) return plain.map(Math.abs)
    if (name.endsWith('running_mean')) return plain.map((x) => x - 1)
    return name.endsWith('running_var') ? plain.map((x) => x / 2) : plain
  }
  return new Map([...shapes].map(([name, shape]) => [name, fromTorch(name, shape, value(name, shape))]))
}

/** 8-bit levels in [0, 1] by name, channels-last. */
function picture(
  name: string,
  [batch, channels, height, width]: [number, number, number, number],
): tf.Tensor4D {
  const levels = Float32Array.from(
    hashUniform(name, batch * channels * height * width),
    (u) => Math.floor((u + 1) * 127.99) / 255,
  )
  return tf.tidy(() => tf.transpose(tf.tensor4d(levels, [batch, channels, height, width]), [0, 2, 3, 1]))
}

async function expectValues(found: tf.Tensor, wanted: readonly number[]): Promise<void> {
  const values = await found.data()
  const scale = Math.max(...wanted.map(Math.abs))
  wanted.forEach((value, i) => expect(Math.abs(values[i]! - value) / scale, `${i}`).toBeLessThan(1e-4))
  expect(scale).toBeGreaterThan(1e-3)
}

describe('lpips, the official package', () => {
  test.each(['alex', 'vgg', 'squeeze'] as const)('%s', async (net) => {
    const named = weights(lpipsShapes(net))
    const { size, values } = goldens.lpips[net]
    const [a, b] = [picture('lpips.a', [2, 3, size, size + 4]), picture('lpips.b', [2, 3, size, size + 4])]
    const metric = lpips(named, { net })
    const { perImage, dialect, range } = await metric(a, b)
    values.forEach((value, i) => expect(Math.abs(perImage![i]! - value) / value).toBeLessThan(1e-4))
    expect([dialect, range]).toEqual([`lpips-0.1/${net}`, [0, 1]])
    const swapped = await metric(b, a)
    expect(Math.abs(swapped.value - (perImage![0]! + perImage![1]!) / 2)).toBeLessThan(1e-6)
    const signed = [a, b].map((x) => tf.tidy(() => tf.sub<tf.Tensor4D>(tf.mul(x, 2), 1)))
    const inSigned = await lpips(named, { net, range: [-1, 1] })(signed[0]!, signed[1]!)
    expect(Math.abs(inSigned.value - swapped.value)).toBeLessThan(1e-6)
    const torchmetrics = await lpips(named, { net, dialect: 'torchmetrics-1.9' })(a, b)
    expect(Math.abs(torchmetrics.value - swapped.value)).toBeLessThan(1e-4)
    tf.dispose([a, b, signed, ...named.values()])
  })
})

describe('inception of 2015-12-05, pytorch-fid', () => {
  let named: Map<string, tf.Tensor>
  beforeAll(() => {
    named = weights(inceptionShapes())
  }, 60_000)
  afterAll(() => tf.dispose([...named.values()]))
  const dialects = ['pytorch-fid', 'clean-fid', 'torch-fidelity'] as const
  test.each(dialects)('%s resize', async (dialect) => {
    const network = inception(named, { dialect })
    const x = picture('inception.x', [1, 3, 40, 52])
    const features = network.features(x)
    expect(features.shape).toEqual([1, 2048])
    await expectValues(features, goldens.inception[dialect])
    tf.dispose([x, features])
    network.dispose()
  })
})

test('DenseNet-121, torchxrayvision: features and logits', async () => {
  const named = weights(xrvDenseNetShapes())
  const network = xrvDenseNet(named)
  tf.dispose([...named.values()])
  const x = picture('xrv.x', [1, 1, 60, 50])
  const [features, logits] = [network.features(x), network.logits(x)]
  expect(features.shape).toEqual([1, 1024])
  await expectValues(features, goldens.xrv.features)
  await expectValues(logits, goldens.xrv.logits)
  tf.dispose([x, features, logits])
  network.dispose()
  network.dispose()
})
