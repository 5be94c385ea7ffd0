import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
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
