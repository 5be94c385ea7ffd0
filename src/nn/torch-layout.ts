import * as tf from '@tensorflow/tfjs'
import { hasOwnKernel, runOwnKernel } from '../core/index.js'

/**
 * A tensor as PyTorch stores it to the layout that the layers here multiply by without a transpose:
 * convolutions `[out, in, h, w]` to `[h, w, in, out]`, linear weights `[out, in]` to `[in, out]`; embeddings,
 * norms and biases as they are.
 *
 * @param name - the checkpoint's name; it tells an embedding table from a linear weight
 * @param shape - PyTorch's shape
 * @param data - row-major values, borrowed: they may be overwritten afterwards
 * @returns a new tensor, owned by the caller
 */
export function fromTorch(name: string, shape: readonly number[], data: Float32Array): tf.Tensor {
  const order = axesFromTorch(name, shape.length)
  // tensorflow may compute with an array where it lies for as long as the tensor lives, and a transpose that moves nothing but
  // axes of one is the same array still; webgpu looks at it later.
  const isMoved = order?.filter((axis) => shape[axis] !== 1).some((axis, i, all) => axis < (all[i - 1] ?? -1))
  const isTakenNow = isMoved && tf.getBackend() !== 'webgpu'
  return tf.tidy(() => {
    const stored = tf.tensor(isTakenNow ? data : data.slice(), [...shape], 'float32')
    return order ? tf.transpose(stored, order) : stored
  })
}

/** What a file holds of a parameter, from a byte on. */
export interface StoredParameter {
  /** Of the file. */
  readonly path: string
  /** The parameter's first byte. */
  readonly begin: number
  /** How its numbers are stored. */
  readonly dtype: 'F32' | 'F16' | 'BF16'
}

/**
 * {@link fromTorch} of what still lies in a file, where the backend has a kernel that reads, widens and turns it at once.
 *
 * @param name - the checkpoint's name
 * @param shape - PyTorch's shape
 * @param stored - where the file holds its values
 * @returns owned by the caller; nothing where the backend has no such kernel
 * @throws Error when the file cannot be read, or ends before the parameter does
 */
export function fromTorchFile(
  name: string,
  shape: readonly number[],
  { path, begin, dtype }: StoredParameter,
): tf.Tensor | undefined {
  if (!hasOwnKernel('ReadParameter')) return undefined
  const order = axesFromTorch(name, shape.length)
  const size = shape.reduce((product, n) => product * n, 1)
  const [out, into] = order ? [shape[0]!, shape[1]!] : [1, size]
  const matrix = [out, into, size / (out * into)]
  return tf.tidy(() => {
    // An offset takes more than the 31 bits of a whole number.
    const place = tf.tensor1d([Math.floor(begin / 2 ** 30), begin % 2 ** 30], 'int32')
    const [read] = runOwnKernel('ReadParameter', { begin: place }, { file: path, dtype, shape: matrix })!
    return tf.reshape(read!, order ? order.map((axis) => shape[axis]!) : [...shape])
  })
}

/**
 * The inverse of {@link fromTorch}.
 *
 * @param name - the checkpoint's name
 * @param tensor - in this library's layout; borrowed
 * @returns in PyTorch's layout, owned by the caller
 */
export function toTorch(name: string, tensor: tf.Tensor): tf.Tensor {
  const order = axesFromTorch(name, tensor.rank)
  if (!order) return tensor.clone()
  const inverse = order.map((_, axis) => order.indexOf(axis))
  return tf.transpose(tensor, inverse)
}

function axesFromTorch(name: string, rank: number): number[] | undefined {
  if (rank === 4) return [2, 3, 1, 0]
  if (rank === 2 && !/(token|position)_embedding\.weight$/.test(name)) return [1, 0]
  return undefined
}
