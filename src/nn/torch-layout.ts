import * as tf from '@tensorflow/tfjs'

/**
 * A tensor as PyTorch stores it to the layout that the layers here multiply by without a transpose:
 * convolutions `[out, in, h, w]` to `[h, w, in, out]`, linear weights `[out, in]` to `[in, out]`; embeddings,
 * norms and biases as they are.
 *
 * @param name - the checkpoint's name; it tells an embedding table from a linear weight
 * @param shape - PyTorch's shape
 * @param data - row-major values
 * @returns a new tensor, owned by the caller
 */
export function fromTorch(name: string, shape: readonly number[], data: Float32Array): tf.Tensor {
  return tf.tidy(() => {
    const stored = tf.tensor(data, [...shape], 'float32')
    const order = axesFromTorch(name, shape.length)
    return order ? tf.transpose(stored, order) : stored
  })
}

/** A parameter as it is read from a file. */
export interface TorchParameter {
  /** The checkpoint's name. */
  readonly name: string
  /** PyTorch's shape. */
  readonly shape: readonly number[]
  /** Row-major values, good until the next parameter is asked for. */
  readonly data: Float32Array
}

/**
 * {@link fromTorch} of one parameter after another. The next one is read while one is turned, so that `parameters` may
 * read all of them to the same place.
 *
 * @param parameters - from `loadParameters`; closed when the caller stops
 * @returns name by name; the tensors are owned by the caller
 */
export async function* tensorsFromTorch(
  parameters: AsyncIterable<TorchParameter>,
): AsyncGenerator<{ readonly name: string; readonly tensor: tf.Tensor }> {
  const reader = parameters[Symbol.asyncIterator]()
  let next = reader.next()
  try {
    for (let read = await next; !read.done; read = await next) {
      const { name, shape, data } = read.value
      const stored = copyToBackend(shape, data)
      next = reader.next()
      next.catch(() => {}) // thrown when it is awaited
      const order = axesFromTorch(name, shape.length)
      const tensor = order ? tf.transpose(stored, order) : stored.clone()
      stored.dispose()
      yield { name, tensor }
    }
  } finally {
    await next.catch(() => {})
    await reader.return?.()
  }
}

// Backends take the values of a tensor when they first compute with it: tensorflow at any operation, even one that only
// names another shape, webgpu at one that reads them.
function copyToBackend(shape: readonly number[], data: Float32Array): tf.Tensor {
  if (tf.getBackend() === 'webgpu') return tf.tensor(data.slice(), [...shape])
  const tensor = tf.tensor(data, [...shape])
  tf.reshape(tensor, [-1]).dispose()
  return tensor
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
