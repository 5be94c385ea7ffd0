import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MemoryBudgetError,
  memoryBudget,
  setMemoryBudget,
  torchRandn,
  valueAndGradients,
} from '../../src/core/index.js'
import { attention, groupNorm, groupNormSilu, linear, silu } from '../../src/nn/index.js'
import { withoutKernels } from '../support/without-kernels.js'

type Values = Float32Array

async function read(tensor: tf.Tensor): Promise<Values> {
  const values = (await tensor.data()) as Values
  tensor.dispose()
  return values
}

function expectClose(found: Values, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  let scale = 1
  for (let i = 0; i < wanted.length; i++) scale = Math.max(scale, Math.abs(wanted[i]!))
  for (let i = 0; i < wanted.length; i++)
    if (!(Math.abs(found[i]! - wanted[i]!) <= 1e-5 * scale))
      expect.fail(`value ${i}: ${found[i]}, not ${wanted[i]}, of values up to ${scale}`)
}

const bytesUsed = (): number =>
  (tf.backend() as unknown as { bufferManager: { readonly numBytesUsed: number } }).bufferManager.numBytesUsed

async function within<T>(budget: number, work: () => T | Promise<T>): Promise<T> {
  const before = memoryBudget()
  setMemoryBudget(budget)
  try {
    return await work()
  } finally {
    setMemoryBudget(before)
  }
}

const random = (size: number, seed: number): Values => torchRandn(seed).normal(size)
const size = (max: number) => fc.integer({ min: 1, max })
const options = { numRuns: 12 }

// In double precision, term by term.
function product(
  a: Values,
  b: Values,
  [m, n, k]: readonly [number, number, number],
  turned: [boolean, boolean],
) {
  const result = new Float64Array(m * n)
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++)
        result[i * n + j]! += a[turned[0] ? l * m + i : i * k + l]! * b[turned[1] ? j * k + l : l * n + j]!
  return result
}

interface Sides {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly out: number
  readonly kernel: number
  readonly stride: number
  readonly pads: readonly [before: number, after: number]
}

// The result of a convolution, and the gradient by its input of the sum of the result times `weights`.
function convolution(x: Values, filter: Values, weights: Values, sides: Sides) {
  const { batch, height, width, channels, out, kernel, stride, pads } = sides
  const outOf = (side: number) => Math.floor((side + pads[0] + pads[1] - kernel) / stride) + 1
  const [outHeight, outWidth] = [outOf(height), outOf(width)]
  const y = new Float64Array(batch * outHeight * outWidth * out)
  const dx = new Float64Array(x.length)
  for (let pixel = 0; pixel < batch * outHeight * outWidth; pixel++)
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const row = (Math.floor(pixel / outWidth) % outHeight) * stride - pads[0] + Math.floor(tap / kernel)
      const column = (pixel % outWidth) * stride - pads[0] + (tap % kernel)
      if (row < 0 || row >= height || column < 0 || column >= width) continue
      const image = Math.floor(pixel / (outWidth * outHeight))
      const from = ((image * height + row) * width + column) * channels
      for (let c = 0; c < channels; c++)
        for (let o = 0; o < out; o++) {
          const weight = filter[(tap * channels + c) * out + o]!
          y[pixel * out + o]! += x[from + c]! * weight
          dx[from + c]! += weights[pixel * out + o]! * weight
        }
    }
  return { y, dx, outHeight, outWidth }
}

async function expectConvolution(sides: Sides): Promise<void> {
  const { batch, height, width, channels, out, kernel, stride, pads } = sides
  const [values, taps] = [
    random(batch * height * width * channels, 1),
    random(kernel * kernel * channels * out, 2),
  ]
  const plain = convolution(values, taps, new Float32Array(0), sides)
  const weighing = random(plain.y.length, 3)
  const { y, dx, outHeight, outWidth } = convolution(values, taps, weighing, sides)
  const x = tf.tensor4d(values, [batch, height, width, channels])
  const filter = tf.tensor4d(taps, [kernel, kernel, channels, out])
  const weights = tf.tensor4d(weighing, [batch, outHeight, outWidth, out])
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [...pads], [...pads], [0, 0]]
  const run = (of: tf.Tensor) => tf.conv2d(of as tf.Tensor4D, filter, stride, pad)
  expectClose(await read(run(x)), y)
  const { value, gradients } = valueAndGradients((of) => tf.sum(tf.mul(run(of), weights)) as tf.Scalar, [x])
  expectClose(await read(gradients[0]!), dx)
  tf.dispose([x, filter, weights, value])
}

describe.runIf(process.env.CONTRAFACT_BACKEND === 'webgpu')('on webgpu', () => {
  // Long sums are shared by workgroups, and what does not lie in fours is read one by one.
  test('products are those of the definition', async () => {
    const sides = fc.tuple(size(90), size(90), fc.oneof(size(70), fc.integer({ min: 760, max: 1100 })))
    await fc.assert(
      fc.asyncProperty(sides, size(2), fc.boolean(), fc.boolean(), async ([m, n, k], maps, left, right) => {
        const [a, b] = [random(maps * m * k, 1), random(maps * k * n, 2)]
        const [x, y] = [
          tf.tensor(a, [maps, ...(left ? [k, m] : [m, k])]),
          tf.tensor(b, [maps, ...(right ? [n, k] : [k, n])]),
        ]
        const found = await read(tf.matMul(x, y, left, right))
        for (let map = 0; map < maps; map++) {
          const of = (all: Values, length: number) => all.subarray(map * length, (map + 1) * length)
          expectClose(of(found, m * n), product(of(a, m * k), of(b, k * n), [m, n, k], [left, right]))
        }
        tf.dispose([x, y])
      }),
      options,
    )
  })

  test('one matrix meets many, and whole numbers are multiplied', async () => {
    const many = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
    const one = tf.tensor2d([1, 1, 0, 2], [2, 2])
    expect([...(await read(tf.matMul(many, one)))]).toEqual([1, 5, 3, 11, 5, 17, 7, 23])
    const whole = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32')
    expect([...(await read(tf.matMul(whole, whole)))]).toEqual([7, 10, 15, 22])
    tf.dispose([many, one, whole])
  })

  test('of nothing there is nothing', async () => {
    const [none, some] = [tf.zeros<tf.Rank.R2>([0, 3]), tf.ones<tf.Rank.R2>([3, 2])]
    const maps = tf.zeros<tf.Rank.R4>([1, 2, 2, 4])
    const filter = tf.zeros<tf.Rank.R4>([3, 3, 4, 4])
    const results = [
      tf.matMul(none, some),
      linear({ weight: some }, none),
      silu(none),
      tf.conv2d(maps, filter, 1, 'valid'),
    ]
    expect(results.map(({ shape }) => shape)).toEqual([
      [0, 2],
      [0, 2],
      [0, 3],
      [1, 0, 0, 4],
    ])
    for (const result of results) expect((await read(result)).length).toBe(0)
    tf.dispose([none, some, maps, filter])
  })

  test('whole numbers that were cast are taken for what they are', async () => {
    const numbers = tf.tidy(() => tf.cast(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 'float32'))
    const weight = tf.tensor2d([1, 0, 0, 1], [2, 2])
    expectClose(await read(linear({ weight }, numbers)), [1, 2, 3, 4])
    expectClose(await read(tf.matMul(weight, numbers)), [1, 2, 3, 4])
    expectClose(
      await read(silu(numbers)),
      [1, 2, 3, 4].map((x) => x / (1 + Math.exp(-x))),
    )
    tf.dispose([numbers, weight])
  })

  test('a bias of any form that can be broadcast is added as tfjs does', async () => {
    const [a, b] = [tf.ones<tf.Rank.R2>([4, 3]), tf.ones<tf.Rank.R2>([3, 4])]
    const column = tf.tensor2d([1, 2, 3, 4], [4, 1])
    const rows = await read(tf.fused.matMul({ a, b, bias: column }))
    expect([...rows]).toEqual([4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7])
    const [x, filter] = [tf.ones<tf.Rank.R4>([1, 2, 2, 4]), tf.ones<tf.Rank.R4>([1, 1, 4, 4])]
    const one = tf.scalar(2)
    const y = tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias: one as unknown as tf.Tensor1D })
    expect([...(await read(y))]).toEqual(new Array(16).fill(6))
    tf.dispose([a, b, column, x, filter, one])
  })

  test('a map whose steps do not come out even is rounded as asked', () => {
    const [x, filter] = [tf.ones<tf.Rank.R4>([1, 5, 5, 4]), tf.ones<tf.Rank.R4>([2, 2, 4, 4])]
    const shapes = (['floor', 'ceil'] as const).map((mode) => {
      const y = tf.conv2d(x, filter, 2, 0, 'NHWC', 1, mode)
      y.dispose()
      return y.shape
    })
    expect(shapes).toEqual([
      [1, 2, 2, 4],
      [1, 3, 3, 4],
    ])
    tf.dispose([x, filter])
  })

  test('more workgroups than an axis has are numbered along two', async () => {
    const backend = tf.backend() as unknown as { device: { readonly limits: object } }
    const { device } = backend
    const most = 7
    backend.device = new Proxy(device, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (name === 'limits')
          return { maxComputeWorkgroupsPerDimension: most, maxComputeWorkgroupStorageSize: 2 ** 14 }
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const [left, right] = [random(160, 1), random(160, 2)]
    const [a, b] = [tf.tensor3d(left, [40, 1, 4]), tf.tensor3d(right, [40, 4, 1])]
    const wanted = Float64Array.from({ length: 40 }, (_, map) =>
      [0, 1, 2, 3].reduce((sum, i) => sum + left[4 * map + i]! * right[4 * map + i]!, 0),
    )
    try {
      expectClose(await read(tf.matMul(a, b)), wanted)
    } finally {
      backend.device = device
    }
    tf.dispose([a, b])
  })

  test('what a kernel made before the budget stopped it is given back', async () => {
    const q = tf.ones<tf.Rank.R3>([1, 512, 200])
    await read(tf.add(q, 0))
    const held = bytesUsed()
    // The result fits, the scores do not.
    await within(held + 2 ** 20, () => expect(() => attention(q, q, q, 1)).toThrow(MemoryBudgetError))
    await read(tf.add(q, 0))
    expect(bytesUsed()).toBe(held)
    q.dispose()
  })

  test("a convolution that has not the memory for Winograd's algorithm goes without", async () => {
    const x = tf.ones<tf.Rank.R4>([1, 32, 32, 128])
    const filter = tf.ones<tf.Rank.R4>([3, 3, 128, 256])
    for (const tensor of [x, filter]) await read(tf.add(tensor, 0))
    const y = await within(bytesUsed() + 5 * 2 ** 20, () => read(tf.conv2d(x, filter, 1, 'valid')))
    expect(y.every((value) => value === 9 * 128)).toBe(true)
    tf.dispose([x, filter])
  })

  test('convolutions and their gradients are those of the definition', async () => {
    const sides = fc.record({
      ...{ batch: size(2), height: fc.integer({ min: 3, max: 9 }), width: fc.integer({ min: 3, max: 9 }) },
      ...{ channels: size(9), out: size(9), kernel: fc.constantFrom(1, 2, 3), stride: size(2) },
      pads: fc.constantFrom([0, 0], [1, 1], [0, 1], [1, 0]) as fc.Arbitrary<readonly [number, number]>,
    })
    await fc.assert(fc.asyncProperty(sides, expectConvolution), options)
  })

  test.each([
    { height: 17, width: 16, pads: [1, 1] },
    { height: 16, width: 17, pads: [0, 1] },
    { height: 18, width: 17, pads: [0, 0] },
  ] as const)("Winograd's algorithm at $height × $width between $pads", ({ height, width, pads }) =>
    expectConvolution({ batch: 2, height, width, channels: 128, out: 132, kernel: 3, stride: 1, pads }),
  )

  test.each([false, true])('attention of many queries, causal: %s', async (causal) => {
    const [batch, tokens, channels] = [32, 135, 16]
    const [q, k, v] = [1, 2, 3].map((seed) =>
      tf.tensor3d(random(batch * tokens * channels, seed), [batch, tokens, channels]),
    ) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]
    const found = await read(attention(q, k, v, 4, { causal }))
    const wanted = await read(attention(q, k, v, 4, { causal, control: (probabilities) => probabilities }))
    expectClose(found, wanted)
    tf.dispose([q, k, v])
  })

  test.each(['groupNorm', 'groupNormSilu'] as const)(
    '%s of groups that many workgroups share',
    async (name) => {
      const run = { groupNorm, groupNormSilu }[name]
      const x = tf.tensor4d(random(2 * 90 * 60 * 34, 1), [2, 90, 60, 34])
      const [weight, bias] = [tf.tensor1d(random(34, 2)), tf.tensor1d(random(34, 3))]
      const normed = () => run({ weight, bias }, x, 2, 1e-5)
      const found = await read(normed())
      expectClose(found, await read(withoutKernels(['GroupNorm', 'GroupNormSilu', 'Swish'], normed)))
      tf.dispose([x, weight, bias])
    },
  )
})
