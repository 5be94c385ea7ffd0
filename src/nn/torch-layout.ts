import * as tf from '@tensorflow/tfjs'

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
