import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/checkpoint/index.js'
import { ArgumentError, CheckpointError, ShapeError } from '../../src/core/index.js'
import {
  inception,
  inceptionPixels,
  type LpipsNet,
  loadInception,
  loadLpips,
  loadXrvDenseNet,
  lpips,
  lpipsShapes,
  xrvDenseNet,
  xrvPixels,
} from '../../src/metrics/index.js'
import { rawSafetensors } from '../checkpoint/files.js'
import goldens from '../fixtures/metrics-networks.json' with { type: 'json' }
import layouts from '../fixtures/metrics-weights.json' with { type: 'json' }
import { hashLevels } from '../support/name-hash.js'
import { networkWeight } from './network-weights.js'

type Layout = Readonly<Record<string, readonly number[]>>
const layoutOf = (name: keyof typeof layouts) => layouts[name] as unknown as Layout

let folder = ''
const file = (name: string) => join(folder, `${name}.safetensors`)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contrafact-networks-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A file with the names and shapes that the conversion of the official weights writes, weights by name. */
async function write(name: string, layout: Layout): Promise<string> {
  const tensors = Object.entries(layout).map(
    ([key, shape]) => [key, { shape, data: networkWeight(key, shape) }] as const,
  )
  await writeSafetensors(file(name), new Map(tensors))
  return file(name)
}

async function expectValues(found: tf.Tensor, wanted: readonly number[], stride = 1): Promise<void> {
  const values = await found.data()
  const scale = Math.max(...wanted.map(Math.abs))
  wanted.forEach((value, i) =>
    expect(Math.abs(values[i * stride]! - value) / scale, `${i}`).toBeLessThan(1e-4),
  )
  expect(scale).toBeGreaterThan(1e-3)
  found.dispose()
}

/** Every 997th value in PyTorch's order. */
const channelsFirst = (pixels: tf.Tensor4D) => {
  const turned = tf.transpose(pixels, [0, 3, 1, 2])
  pixels.dispose()
  return turned
}

describe('lpips, the official package', () => {
  test.each(['alex', 'vgg', 'squeeze'] as const)(
    '%s',
    async (net) => {
      const path = await write(net, layoutOf(`lpips-${net}`))
      using metric = await loadLpips(path, { net })
      const { size, values } = goldens.lpips[net]
      const [a, b] = [
        hashLevels('lpips.a', [2, 3, size, size + 4]),
        hashLevels('lpips.b', [2, 3, size, size + 4]),
      ]
      const { perImage, dialect, range } = await metric(a, b)
      values.forEach((value, i) => expect(Math.abs(perImage![i]! - value) / value).toBeLessThan(1e-4))
      expect([dialect, range]).toEqual([`lpips-0.1/${net}`, [0, 1]])
      if (net !== 'alex') return tf.dispose([a, b])
      const value = (perImage![0]! + perImage![1]!) / 2
      const [low, high] = [a, b].map((x) => tf.tidy(() => tf.sub<tf.Tensor4D>(tf.mul(x, 2), 1)))
      using signed = await loadLpips(path, { net, range: [-1, 1] })
      expect(Math.abs((await signed(low!, high!)).value - value)).toBeLessThan(1e-6)
      using other = await loadLpips(path, { net, dialect: 'torchmetrics-1.9' })
      expect(Math.abs((await other(a, b)).value - value)).toBeLessThan(1e-4)
      tf.dispose([a, b, low!, high!])
      metric.dispose()
    },
    180_000,
  )

  test('backbone and heads from two files', async () => {
    const layout = Object.entries(layoutOf('lpips-alex'))
    const part = (heads: boolean) =>
      Object.fromEntries(layout.filter(([name]) => name.startsWith('lin') === heads))
    const paths = [await write('backbone', part(false)), await write('heads', part(true))]
    using metric = await loadLpips(paths)
    const { size, values } = goldens.lpips.alex
    const [a, b] = [
      hashLevels('lpips.a', [2, 3, size, size + 4]),
      hashLevels('lpips.b', [2, 3, size, size + 4]),
    ]
    expect((await metric(a, b)).perImage![0]).toBeCloseTo(values[0]!, 4)
    tf.dispose([a, b])
  })
})

describe('inception of 2015-12-05', () => {
  const pictureOf = ({ shape }: { shape: number[] }) => hashLevels(`inception.${shape[2]}`, shape)
  const dialects = ['pytorch-fid', 'clean-fid', 'torch-fidelity'] as const

  test.each(dialects)('the pixels that %s shows it', async (dialect) => {
    for (const golden of goldens.inception) {
      const x = pictureOf(golden)
      await expectValues(channelsFirst(inceptionPixels(x, dialect)), golden[dialect].pixels, 997)
      x.dispose()
    }
  })

  test('features, of a file', async () => {
    const path = await write('inception', layoutOf('inception'))
    using network = await loadInception(path)
    expect(network).toMatchObject({ name: 'inception-2015-12-05/pytorch-fid', width: 2048 })
    const x = pictureOf(goldens.inception[0]!)
    const features = network.features(x)
    expect(features.shape).toEqual([1, 2048])
    await expectValues(features, goldens.inception[0]!['pytorch-fid'].features)
    x.dispose()
  }, 180_000)
})

describe('DenseNet-121 of torchxrayvision', () => {
  const pictureOf = ({ shape }: { shape: number[] }) => hashLevels(`xrv.${shape[2]}`, shape)
  const dialects = ['torchxrayvision-1.5', 'xray-resizer', 'bilinear'] as const

  test.each(dialects)('the pixels that %s shows it', async (dialect) => {
    for (const golden of goldens.xrv) {
      const x = pictureOf(golden)
      await expectValues(channelsFirst(xrvPixels(x, dialect)), golden[dialect].pixels, 997)
      x.dispose()
    }
  })

  test('features and logits, of a file', async () => {
    using network = await loadXrvDenseNet(await write('xrv', layoutOf('xrv')))
    expect(network).toMatchObject({ name: 'xrv-densenet121/torchxrayvision-1.5', width: 1024 })
    const [small, large] = goldens.xrv as [(typeof goldens.xrv)[0], (typeof goldens.xrv)[0]]
    const [x, y] = [pictureOf(small), pictureOf(large)]
    await expectValues(network.features(x), small['torchxrayvision-1.5'].features)
    await expectValues(network.logits(y), large['torchxrayvision-1.5'].logits)
    tf.dispose([x, y])
  })

  test('a colour picture is seen by the mean of its channels', async () => {
    const x = hashLevels('xrv.60', [1, 1, 60, 50])
    const colour = tf.tidy(() => tf.mul<tf.Tensor4D>(x, [0.5, 1, 1.5]))
    const [grey, seen] = [xrvPixels(x), xrvPixels(colour)]
    const furthest = tf.tidy(() => tf.max(tf.abs(tf.sub(grey, seen))))
    expect((await furthest.data())[0]).toBeLessThan(1e-2)
    tf.dispose([x, colour, grey, seen, furthest])
  })
})

describe('files that do not fit', () => {
  const loaders = {
    'lpips-alex': (path: string) => loadLpips(path),
    inception: (path: string) => loadInception(path),
    xrv: (path: string) => loadXrvDenseNet(path),
  } as const
  const names = Object.keys(loaders) as (keyof typeof loaders)[]
  const oneOf = {
    'lpips-alex': 'lin2.model.1.weight',
    inception: 'Mixed_6b.branch7x7_2.conv.weight',
    xrv: 'features.denseblock2.denselayer3.norm1.running_var',
  } as const

  /** As long as its header says, with nothing in it: the shapes are checked before any value is read. */
  async function hollow(name: string, layout: Layout): Promise<string> {
    let end = 0
    const header = Object.entries(layout).map(([key, shape]) => {
      const start = end
      end += 4 * shape.reduce((a, b) => a * b, 1)
      return [key, { dtype: 'F32', shape, data_offsets: [start, end] }]
    })
    const bytes = rawSafetensors(Object.fromEntries(header), 0)
    await writeFile(file(name), bytes)
    await truncate(file(name), bytes.length + end)
    return file(name)
  }

  test.each(names)('%s: a missing tensor is named', async (name) => {
    const { [oneOf[name]]: _, ...layout } = layoutOf(name)
    const loading = loaders[name](await hollow('missing', layout))
    await expect(loading).rejects.toThrow(CheckpointError)
    await expect(loading).rejects.toThrow(oneOf[name])
  })

  test.each(names)('%s: a tensor of another shape is named with both shapes', async (name) => {
    const shape = layoutOf(name)[oneOf[name]]!
    const wrong = [shape[0]! + 1, ...shape.slice(1)]
    const loading = loaders[name](await hollow('wrong', { ...layoutOf(name), [oneOf[name]]: wrong }))
    await expect(loading).rejects.toThrow(CheckpointError)
    await expect(loading).rejects.toThrow(oneOf[name])
    await expect(loading).rejects.toThrow(`[${wrong.join(',')}]`)
  })

  test.each(names)('%s: no file, no safetensors, a cut file', async (name) => {
    await expect(loaders[name](file('nowhere'))).rejects.toThrow(CheckpointError)
    // What torch.save writes: a zip.
    await writeFile(file('pickle'), Buffer.from('PK\u0003\u0004 archive/data.pkl'))
    await expect(loaders[name](file('pickle'))).rejects.toThrow(CheckpointError)
    const path = await hollow('cut', layoutOf(name))
    await truncate(path, 100_000)
    await expect(loaders[name](path)).rejects.toThrow(CheckpointError)
  })

  test('weights of another backbone', async () => {
    const path = await hollow('squeeze-as-alex', layoutOf('lpips-squeeze'))
    await expect(loadLpips(path, { net: 'alex' })).rejects.toThrow(/features\.0\.weight/)
  })

  test('unknown options, missing weights', async () => {
    await expect(loadLpips('x', { net: 'resnet' as LpipsNet })).rejects.toThrow(ArgumentError)
    await expect(loadXrvDenseNet('x', { dialect: 'cv2' as 'bilinear' })).rejects.toThrow(ArgumentError)
    await expect(loadInception('x', { dialect: 'pil' as 'clean-fid' })).rejects.toThrow(ArgumentError)
    for (const make of [lpips, inception, xrvDenseNet]) expect(() => make(new Map())).toThrow(ArgumentError)
    expect(() => lpips(new Map(), { dialect: '0.0' as 'lpips-0.1' })).toThrow(ArgumentError)
    expect(lpipsShapes('alex').get('lin0.model.1.weight')).toEqual([1, 64, 1, 1])
  })

  test('pictures without the channels that a network reads', () => {
    const [grey, two] = [tf.zeros<tf.Rank.R4>([1, 40, 40, 1]), tf.zeros<tf.Rank.R4>([1, 40, 40, 2])]
    expect(() => inceptionPixels(grey)).toThrow(ShapeError)
    expect(() => inceptionPixels(grey)).toThrow(/Repeat the grey channel/)
    expect(() => xrvPixels(two)).toThrow(ShapeError)
    tf.dispose([grey, two])
  })
})
