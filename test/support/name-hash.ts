import * as tf from '@tensorflow/tfjs'
import type { ParameterShapes } from '../../src/models/index.js'
import { fromTorch } from '../../src/nn/index.js'

/**
 * Weights and inputs that any language can reproduce from a tensor's name: FNV-1a of the name seeds a 32-bit
 * integer hash of each element's index, in PyTorch's row-major order.
 */
export function hashUniform(name: string, count: number): Float64Array {
  let h = 0x811c9dc5
  for (const char of name) h = Math.imul(h ^ char.charCodeAt(0), 0x01000193)
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (h + Math.imul(i, 0x9e3779b1)) | 0
    x ^= x >>> 15
    x = Math.imul(x, 0x85ebca6b)
    x ^= x >>> 13
    x = Math.imul(x, 0xc2b2ae35)
    x ^= x >>> 16
    return (x >>> 0) / 2 ** 31 - 1
  })
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** A weight by its name: biases within 0.1, scales about 1, embeddings within 0.5, the rest by fan-in. */
export function hashWeight(name: string, shape: readonly number[]): Float32Array {
  const u = hashUniform(name, size(shape))
  if (name.endsWith('.bias')) return Float32Array.from(u, (x) => 0.1 * x)
  if (shape.length <= 1) return Float32Array.from(u, (x) => 1 + 0.1 * x)
  if (shape.length === 2 && /token_embedding|position_embedding/.test(name))
    return Float32Array.from(u, (x) => 0.5 * x)
  const bound = Math.sqrt(3 / size(shape.slice(1)))
  return Float32Array.from(u, (x) => x * bound)
}

/** A whole model's weights by name, in this library's layout. */
export function hashWeights(shapes: ParameterShapes): Map<string, tf.Tensor> {
  return new Map([...shapes].map(([name, shape]) => [name, fromTorch(name, shape, hashWeight(name, shape))]))
}

/** An input by its name; four axes are taken as PyTorch's `[batch, channels, height, width]` and turned. */
export function hashInput<R extends tf.Rank>(
  name: string,
  shape: readonly number[],
  scale = Math.sqrt(3),
): tf.Tensor<R> {
  const u = Float32Array.from(hashUniform(name, size(shape)), (x) => x * scale)
  return tf.tidy(() => {
    const x = tf.tensor(u, [...shape])
    return (shape.length === 4 ? tf.transpose(x, [0, 2, 3, 1]) : x) as tf.Tensor<R>
  })
}

/** A batch of 8-bit pictures by its name, in [0, 1]; `shape` is PyTorch's `[batch, channels, height, width]`. */
export function hashLevels(name: string, shape: readonly number[]): tf.Tensor4D {
  const levels = Float32Array.from(hashUniform(name, size(shape)), (u) => Math.floor((u + 1) * 127.99) / 255)
  return tf.tidy(() =>
    tf.transpose(tf.tensor<tf.Rank.R4>(levels, shape as [number, number, number, number]), [0, 2, 3, 1]),
  )
}

/** Values in PyTorch's order; four axes are turned back to channels-first. */
export async function torchValues(x: tf.Tensor): Promise<Float32Array> {
  const turned = tf.tidy(() => (x.rank === 4 ? tf.transpose(x, [0, 3, 1, 2]) : x.clone()))
  const values = (await turned.data()) as Float32Array
  turned.dispose()
  return values
}

/** Mean, population deviation, first four and last two values: the form in which goldens are written down. */
export async function digest(
  x: tf.Tensor,
): Promise<{ mean: number; std: number; first: number[]; last: number[] }> {
  const values = await torchValues(x)
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
  return { mean, std, first: [...values.slice(0, 4)], last: [...values.slice(-2)] }
}
