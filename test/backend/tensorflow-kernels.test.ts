import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { hashUniform } from '../support/name-hash.js'

// The ways that conv2d takes by itself on tensorflow, each against sums written out in doubles.
describe.runIf(process.env.CONTRAFACT_BACKEND === 'tensorflow')('conv2d', () => {
  const values = (name: string, shape: readonly number[]) =>
    Float32Array.from(
      hashUniform(
        name,
        shape.reduce((a, b) => a * b, 1),
      ),
    )
  const cases = [
    ['a product of patches', [2, 4, 3, 8], [3, 3, 8, 40], 1, 'same'],
    ['a product of patches without padding', [1, 5, 4, 8], [3, 3, 8, 24], 1, 'valid'],
    ['a product of patches at stride 2', [1, 7, 5, 8], [3, 3, 8, 24], 2, 'valid'],
    ['a product of pixels', [2, 6, 6, 8], [1, 1, 8, 16], 1, 'same'],
    ['slices of the kernel, of 256 channels', [1, 25, 24, 256], [3, 3, 256, 256], 1, 'same'],
    ['slices of the kernel, of 512 channels', [1, 20, 20, 512], [3, 3, 512, 128], 1, 'same'],
    ["Winograd's algorithm, on sides that are odd", [2, 17, 31, 48], [3, 3, 48, 80], 1, 'same'],
    ["Winograd's algorithm without padding", [3, 16, 15, 32], [3, 3, 32, 48], 1, 'valid'],
    ["Winograd's algorithm, channels block by block", [1, 24, 25, 336], [3, 3, 336, 352], 1, 'same'],
    ['oneDNN', [1, 16, 16, 6], [3, 3, 6, 8], 1, 'same'],
  ] as const

  test.each(cases)('as %s is the sum that it stands for', async (_, inShape, kernelShape, stride, pad) => {
    const [x, kernel] = [values('x', inShape), values('kernel', kernelShape)]
    const [kh, kw, channels, out] = kernelShape
    const [, height, width] = inShape
    const y = tf.tidy(() =>
      tf.conv2d(tf.tensor4d(x, [...inShape]), tf.tensor4d(kernel, [...kernelShape]), stride, pad),
    )
    const [found, [, rows, columns]] = [await y.data(), y.shape]
    const before = pad === 'same' ? 1 - ((kh + 1) % 2) - (kh === 1 ? 1 : 0) : 0
    // A share of the results that touches every image, edge and slice.
    for (let at = 0; at < found.length; at += Math.max(1, Math.floor(found.length / 997))) {
      const o = at % out
      const column = Math.floor(at / out) % columns!
      const row = Math.floor(at / (out * columns!)) % rows!
      const n = Math.floor(at / (out * columns! * rows!))
      let sum = 0
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const [r, c] = [row * stride + i - before, column * stride + j - before]
          if (r < 0 || r >= height || c < 0 || c >= width) continue
          for (let k = 0; k < channels; k++)
            sum +=
              x[((n * height + r) * width + c) * channels + k]! *
              kernel[((i * kw + j) * channels + k) * out + o]!
        }
      expect(Math.abs(found[at]! - sum)).toBeLessThan(2e-5 * Math.sqrt(kh * kw * channels))
    }
    y.dispose()
  })

  test.each(cases)(
    'as %s has the gradient that it stands for',
    async (_, inShape, kernelShape, stride, pad) => {
      // <conv(x), w> = <x, gradient>: linear in x, so that one product tells.
      const x = tf.tensor4d(values('x', inShape), [...inShape])
      const kernel = tf.tensor4d(values('kernel', kernelShape), [...kernelShape])
      const other = tf.tensor4d(values('other', inShape), [...inShape])
      const weigh = (y: tf.Tensor) => tf.mul(y, tf.tensor(values('w', y.shape), y.shape)).sum() as tf.Scalar
      const gradient = tf.grad((t) => weigh(tf.conv2d(t as tf.Tensor4D, kernel, stride, pad)))(x)
      const [along, wanted] = tf.tidy(() => [
        tf.mul(gradient, other).sum().dataSync()[0]!,
        weigh(tf.conv2d(other, kernel, stride, pad)).dataSync()[0]!,
      ])
      expect(along / wanted).toBeCloseTo(1, 3)
      tf.dispose([x, kernel, other, gradient])
    },
  )
})
