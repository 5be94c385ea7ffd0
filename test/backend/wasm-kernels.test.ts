import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashUniform } from '../support/name-hash.js'

const values = (name: string, shape: number[]) =>
  tf.tensor(
    Float32Array.from(
      hashUniform(
        name,
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
    shape,
  )

// Central differences of a scalar function: slow, but of no one's kernels.
async function numericGradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): Promise<number[]> {
  const at = await x.data()
  const h = 1e-2
  return Array.from(at, (value, i) => {
    const side = (sign: number) =>
      tf.tidy(() => {
        const moved = Float32Array.from(at)
        moved[i] = value + sign * h
        return f(tf.tensor(moved, x.shape)).dataSync()[0]!
      })
    return (side(1) - side(-1)) / (2 * h)
  })
}

const cases: { name: string; shape: number[]; f: (x: tf.Tensor) => tf.Tensor }[] = []
for (const [stride, pad] of [
  [1, 'same'],
  [1, 'valid'],
  [2, 'valid'],
  [2, 'same'],
] as const) {
  const other = () => values('image', [2, 6, 5, 2]) as tf.Tensor4D
  const kernel = () => values('kernel', [3, 3, 2, 3]) as tf.Tensor4D
  const weights = (y: tf.Tensor) => values('weights', y.shape)
  const dot = (y: tf.Tensor) => tf.sum(tf.mul(y, weights(y)))
  cases.push(
    {
      name: `conv2d by its filter, ${stride} ${pad}`,
      shape: [3, 3, 2, 3],
      f: (w) => dot(tf.conv2d(other(), w as tf.Tensor4D, stride, pad)),
    },
    {
      name: `conv2d by its input, ${stride} ${pad}`,
      shape: [2, 6, 5, 2],
      f: (x) => dot(tf.conv2d(x as tf.Tensor4D, kernel(), stride, pad)),
    },
  )
}
for (const [a, b] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const) {
  const shape = (outer: number[], rows: number, columns: number, turned: boolean) => [
    ...outer,
    ...(turned ? [columns, rows] : [rows, columns]),
  ]
  cases.push({
    name: `matMul by its left side, ${a} ${b}`,
    shape: shape([2, 3], 4, 5, a),
    f: (x) =>
      tf.sum(tf.mul(tf.matMul(x, values('right', shape([2, 3], 5, 2, b)), a, b), values('w', [2, 3, 4, 2]))),
  })
}
cases.push({
  name: 'gather by its table',
  shape: [5, 3],
  f: (x) => tf.sum(tf.mul(tf.gather(x, tf.tensor1d([1, 1, 4, 0], 'int32')), values('w', [4, 3]))),
})

test.each(cases)('gradient of $name', async ({ shape, f }) => {
  const x = values('x', shape)
  const gradient = tf.tidy(() => tf.grad(f)(x))
  const found = await gradient.data()
  const wanted = await numericGradient(f, x)
  wanted.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(2e-3))
  tf.dispose([x, gradient])
})

test('a product by a turned matrix adds one bias per column', async () => {
  const [a, b, bias] = [
    values('a', [3, 4]) as tf.Tensor2D,
    values('b', [5, 4]) as tf.Tensor2D,
    values('c', [5]),
  ]
  const fused = tf.fused.matMul({ a, b, transposeB: true, bias })
  const apart = tf.tidy(() => tf.add(tf.matMul(a, b, false, true), bias))
  const [found, wanted] = [await fused.data(), await apart.data()]
  wanted.forEach((value, i) => expect(found[i]!).toBeCloseTo(value, 5))
  tf.dispose([a, b, bias, fused, apart])
})

test('products of batches equal those of their matrices', async () => {
  const [a, b] = [values('a', [2, 1, 3, 4]), values('b', [1, 3, 5, 4])]
  const product = tf.tidy(() => tf.matMul(a, b, false, true))
  expect(product.shape).toEqual([2, 3, 3, 5])
  const [x, y, found] = [await a.data(), await b.data(), await product.data()]
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++)
      for (let r = 0; r < 3; r++)
        for (let c = 0; c < 5; c++) {
          let sum = 0
          for (let k = 0; k < 4; k++) sum += x[(i * 3 + r) * 4 + k]! * y[(j * 5 + c) * 4 + k]!
          expect(found[((i * 3 + j) * 3 + r) * 5 + c]!).toBeCloseTo(sum, 5)
        }
  tf.dispose([a, b, product])
})

const size = (max: number) => fc.integer({ min: 1, max })
const numbers = (shape: readonly number[], seed: number) =>
  tf.randomNormal([...shape], 0, 1, 'float32', seed) as tf.Tensor
const at = (values: Float32Array, index: number) => values[index]!

async function expectNear(found: tf.Tensor, wanted: ArrayLike<number>): Promise<void> {
  const values = await found.data()
  expect(values.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++)
    if (!(Math.abs(values[i]! - wanted[i]!) <= 1e-4)) expect.fail(`${i}: ${values[i]}, not ${wanted[i]}`)
}

// Sizes on both sides of a vector, a tile, and what is done at once.
describe.runIf((process.env.CONTRAFACT_BACKEND ?? 'wasm') === 'wasm')(
  'equals the sum that it is written as:',
  () => {
    test('a convolution of any size, step and border, with a bias', async () => {
      const sides = { batch: size(3), height: size(12), width: size(70), channels: size(9), out: size(35) }
      const kernel = { kernelHeight: size(4), kernelWidth: size(4), stride: size(3), border: fc.nat(3) }
      await fc.assert(
        fc.asyncProperty(fc.record({ ...sides, ...kernel }), async (of) => {
          const { batch, height, width, channels, out, stride, border } = of
          const [kernelHeight, kernelWidth] = [
            Math.min(of.kernelHeight, height),
            Math.min(of.kernelWidth, width),
          ]
          const x = numbers([batch, height, width, channels], 1) as tf.Tensor4D
          const filter = numbers([kernelHeight, kernelWidth, channels, out], 2) as tf.Tensor4D
          const bias = numbers([out], 3) as tf.Tensor1D
          const sides: [number, number] = [border, border]
          const y = tf.fused.conv2d({
            ...{ x, filter, bias, strides: stride },
            pad: [[0, 0], sides, sides, [0, 0]],
          })
          const [a, b, c] = (await Promise.all([x, filter, bias].map((t) => t.data()))) as Float32Array[]
          const wanted: number[] = []
          const [outHeight, outWidth] = y.shape.slice(1, 3) as [number, number]
          for (let n = 0; n < batch; n++)
            for (let i = 0; i < outHeight; i++)
              for (let j = 0; j < outWidth; j++)
                for (let o = 0; o < out; o++) {
                  let sum = at(c!, o)
                  for (let u = 0; u < kernelHeight; u++)
                    for (let v = 0; v < kernelWidth; v++) {
                      const [row, column] = [i * stride - border + u, j * stride - border + v]
                      if (row < 0 || row >= height || column < 0 || column >= width) continue
                      for (let k = 0; k < channels; k++)
                        sum +=
                          at(a!, ((n * height + row) * width + column) * channels + k) *
                          at(b!, ((u * kernelWidth + v) * channels + k) * out + o)
                    }
                  wanted.push(sum)
                }
          await expectNear(y, wanted)
          tf.dispose([x, filter, bias, y])
        }),
        { numRuns: 40 },
      )
    })

    test('a product, turned or not, by one right side or many', async () => {
      const sides = { batch: size(3), rows: size(70), depth: size(40), columns: size(40) }
      const flags = { left: fc.boolean(), right: fc.boolean(), shared: fc.boolean() }
      await fc.assert(
        fc.asyncProperty(
          fc.record({ ...sides, ...flags }),
          async ({ batch, rows, depth, columns, ...is }) => {
            const a = numbers([batch, ...(is.left ? [depth, rows] : [rows, depth])], 1)
            const b = numbers(
              [...(is.shared ? [] : [batch]), ...(is.right ? [columns, depth] : [depth, columns])],
              2,
            )
            // The second time the right side is one that was packed before.
            for (let time = 0; time < 3; time++) {
              const y = tf.matMul(a, b, is.left, is.right)
              const [x, w] = (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array]
              const wanted: number[] = []
              for (let n = 0; n < batch; n++)
                for (let i = 0; i < rows; i++)
                  for (let j = 0; j < columns; j++) {
                    let sum = 0
                    for (let k = 0; k < depth; k++) {
                      const right = is.right ? j * depth + k : k * columns + j
                      sum +=
                        at(x, n * rows * depth + (is.left ? k * rows + i : i * depth + k)) *
                        at(w, (is.shared ? 0 : n * depth * columns) + right)
                    }
                    wanted.push(sum)
                  }
              await expectNear(y, wanted)
              y.dispose()
            }
            tf.dispose([a, b])
          },
        ),
        { numRuns: 40 },
      )
    })

    test('a sum, where one side stands for many', async () => {
      const shapes = fc.record({ batch: size(3), pixels: size(50), channels: size(9), form: fc.nat(4) })
      await fc.assert(
        fc.asyncProperty(shapes, async ({ batch, pixels, channels, form }) => {
          const shape = [batch, pixels, 1, channels]
          const others = [shape, [batch, 1, 1, channels], [channels], [pixels, 1, 1], []]
          const [a, b] = [numbers(shape, 1), numbers(others[form]!, 2)]
          const [left, right] = (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array]
          const indices = [
            (i: number) => i,
            (i: number) => Math.floor(i / (pixels * channels)) * channels + (i % channels),
            (i: number) => i % channels,
            (i: number) => Math.floor(i / channels) % pixels,
            () => 0,
          ]
          const wanted = left.map((value, i) => value + at(right, indices[form]!(i)))
          for (const y of [tf.add(a, b), tf.add(b, a)]) {
            expect(y.shape).toEqual(shape)
            await expectNear(y, wanted)
            y.dispose()
          }
          tf.dispose([a, b])
        }),
        { numRuns: 40 },
      )
    })

    test('a concatenation along any axis, of empty parts too', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
          fc.nat(2),
          async (lengths, axis) => {
            const parts = lengths.map((length, i) => numbers([2, 3, 5].with(axis, length), i))
            const y = tf.concat(parts, axis)
            expect(y.shape).toEqual(
              [2, 3, 5].with(
                axis,
                lengths.reduce((sum, n) => sum + n),
              ),
            )
            const back = lengths.length > 1 ? tf.split(y, lengths, axis) : [y]
            for (const [i, part] of parts.entries()) await expectNear(back[i]!, await part.data())
            tf.dispose([...parts, y, ...back])
          },
        ),
        { numRuns: 40 },
      )
    })
  },
)
