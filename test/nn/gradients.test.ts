import * as tf from '@tensorflow/tfjs'
import { valueAndGradients } from 'contrafact/core'
import { conv2d, geglu, groupNorm, layerNorm, silu } from 'contrafact/nn'
import { describe, expect, it } from 'vitest'

// Each layer with a gradient of its own, and the same formula in plain operations that tfjs differentiates.
const layers: Readonly<
  Record<
    string,
    { shapes: number[][]; own: (...of: tf.Tensor[]) => tf.Tensor; plain: (...of: tf.Tensor[]) => tf.Tensor }
  >
> = {
  groupNorm: {
    shapes: [[2, 3, 5, 6], [6], [6]],
    own: (x, weight, bias) => groupNorm({ weight, bias } as Norm, x as tf.Tensor4D, 3, 1e-5),
    plain: (x, weight, bias) => {
      const grouped = tf.reshape(x, [2, 15, 3, 2])
      const { mean, variance } = tf.moments(grouped, [1, 3], true)
      const normal = tf.reshape(tf.div(tf.sub(grouped, mean), tf.sqrt(tf.add(variance, 1e-5))), x.shape)
      return tf.add(tf.mul(normal, weight), bias)
    },
  },
  layerNorm: {
    shapes: [[2, 5, 6], [6], [6]],
    own: (x, weight, bias) => layerNorm({ weight, bias } as Norm, x),
    plain: (x, weight, bias) => {
      const { mean, variance } = tf.moments(x, 2, true)
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), weight), bias)
    },
  },
  silu: { shapes: [[4, 7]], own: (x) => silu(x), plain: (x) => tf.mul(x, tf.sigmoid(x)) },
  geglu: {
    shapes: [[2, 3, 8]],
    own: (x) => geglu(x as tf.Tensor3D),
    plain: (x) => {
      const [value, gate] = tf.split(x, 2, -1)
      return tf.mul(value!, tf.mul(tf.mul(gate!, 0.5), tf.add(tf.erf(tf.mul(gate!, Math.SQRT1_2)), 1)))
    },
  },
}

type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D }

describe('a gradient written out', () => {
  it.each(Object.entries(layers))('of %s equals automatic differentiation', (_, { shapes, own, plain }) => {
    const inputs = shapes.map((shape, i) => tf.randomNormal(shape, 1, 2, 'float32', i + 1))
    const weights = tf.tidy(() => tf.randomNormal(own(...inputs).shape, 0, 1, 'float32', 9))
    const results = [own, plain].map((layer) => {
      const { value, gradients } = valueAndGradients(
        (...of) => tf.sum(tf.mul(layer(...of), weights)) as tf.Scalar,
        inputs,
      )
      const data = [value, ...gradients].map((t) => [...t.dataSync()])
      tf.dispose([value, ...gradients])
      return data
    })
    tf.dispose([...inputs, weights])
    expectClose(results[0]!, results[1]!)
  })
})

// Small maps with many channels, where tensorflow multiplies patches, and large ones, where it convolves.
describe('a convolution', () => {
  it.each([
    { size: [3, 5], channels: [4, 64], kernel: 3, options: {} },
    { size: [9, 8], channels: [3, 4], kernel: 3, options: {} },
    { size: [6, 7], channels: [5, 128], kernel: 3, options: { stride: 2, padding: [0, 1] as const } },
    { size: [4, 4], channels: [5, 6], kernel: 1, options: {} },
  ])('of $size by $kernel taps, $channels channels, is the sum that it stands for', (shape) => {
    const { size, channels, kernel, options } = shape
    const [inputs, out] = channels as [number, number]
    const x = tf.randomNormal<tf.Rank.R4>([2, size[0]!, size[1]!, inputs], 0, 1, 'float32', 1)
    const weight = tf.randomNormal([kernel, kernel, inputs, out], 0, 1, 'float32', 2) as tf.Tensor4D
    const stride = options.stride ?? 1
    const padding = options.padding ?? ([(kernel - 1) / 2, (kernel - 1) / 2] as const)
    const byTaps = (map: tf.Tensor) => {
      const padded = tf.pad(map, [[0, 0], [...padding], [...padding], [0, 0]])
      const reach = size.map((n) => Math.floor((n + padding[0] + padding[1] - kernel) / stride) + 1)
      const taps: tf.Tensor[] = []
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++) {
          const end = [2, i + (reach[0]! - 1) * stride + 1, j + (reach[1]! - 1) * stride + 1, inputs]
          const window =
            stride === 1
              ? tf.slice(padded, [0, i, j, 0], [2, ...reach, inputs])
              : tf.stridedSlice(padded, [0, i, j, 0], end, [1, stride, stride, 1])
          const tap = tf.reshape(tf.slice(weight, [i, j, 0, 0], [1, 1, inputs, out]), [inputs, out])
          taps.push(tf.reshape(tf.matMul(tf.reshape(window, [-1, inputs]), tap), [2, ...reach, out]))
        }
      return tf.addN(taps)
    }
    const own = (map: tf.Tensor) => conv2d({ weight }, map as tf.Tensor4D, options)
    const probe = tf.tidy(() => tf.randomNormal(own(x).shape, 0, 1, 'float32', 3))
    const gradient = (f: (map: tf.Tensor) => tf.Tensor) =>
      tf.tidy(() => [
        ...tf
          .grad((map: tf.Tensor) => tf.sum(tf.mul(f(map), probe)))(x)
          .dataSync(),
      ])
    const values = (f: (map: tf.Tensor) => tf.Tensor) => tf.tidy(() => [...f(x).dataSync()])
    expectClose([values(own)], [values(byTaps)])
    // The strided window of the reference has no gradient in tfjs.
    if (stride === 1) expectClose([gradient(own)], [gradient(byTaps)])
    tf.dispose([x, weight, probe])
  })
})

function expectClose(found: readonly number[][], expected: readonly number[][]): void {
  for (const [i, values] of expected.entries()) {
    expect(found[i]).toHaveLength(values.length)
    const scale = Math.max(1, ...values.map(Math.abs))
    const largest = Math.max(...values.map((value, j) => Math.abs(value - found[i]![j]!)))
    expect(largest / scale).toBeLessThanOrEqual(1e-5)
  }
}
