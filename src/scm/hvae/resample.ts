import * as tf from '@tensorflow/tfjs'

/**
 * Average pooling by a whole factor; what is left over at the far edges is dropped, as in PyTorch.
 *
 * The gradient is written out, a repetition, because the wasm backend has none.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @returns `[batch, ⌊height / factor⌋, ⌊width / factor⌋, channels]`, owned by the caller
 */
export function averagePool(x: tf.Tensor4D, factor: number): tf.Tensor4D {
  const [, height, width] = x.shape
  const op = tf.customGrad((input) => ({
    value: tf.avgPool(input as tf.Tensor4D, factor, factor, 'valid'),
    gradFunc: (dy: tf.Tensor) =>
      tf.tidy(() => {
        const repeated = repeat(tf.div(dy as tf.Tensor4D, factor * factor), factor)
        return tf.pad(repeated, [
          [0, 0],
          [0, height - repeated.shape[1]],
          [0, width - repeated.shape[2]],
          [0, 0],
        ])
      }),
  }))
  return op(x) as tf.Tensor4D
}

/**
 * Nearest-neighbour enlargement to a square.
 *
 * @param x - `[batch, n, n, channels]`, borrowed
 * @returns `[batch, size, size, channels]`, owned by the caller
 */
export function enlarge(x: tf.Tensor4D, size: number): tf.Tensor4D {
  const factor = size / x.shape[1]
  if (!Number.isInteger(factor)) return tf.image.resizeNearestNeighbor(x, [size, size])
  const op = tf.customGrad((input) => ({
    value: repeat(input as tf.Tensor4D, factor),
    gradFunc: (dy: tf.Tensor) =>
      tf.tidy(() => tf.mul(tf.avgPool(dy as tf.Tensor4D, factor, factor, 'valid'), factor * factor)),
  }))
  return op(x) as tf.Tensor4D
}

function repeat(x: tf.Tensor4D, factor: number): tf.Tensor4D {
  return tf.image.resizeNearestNeighbor(x, [x.shape[1] * factor, x.shape[2] * factor])
}
