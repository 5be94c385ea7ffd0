import * as tf from '@tensorflow/tfjs'
import { BackendError } from '../core/index.js'

/**
 * A forward and a backward pass through what a diffusion network is made of, on the active backend, against numbers
 * that follow on paper.
 *
 * With an image of ones, a 3 × 3 kernel of ones and no padding, each of the 2 × 2 outputs is 9, so that the mean of
 * their squares is 81, its gradient by every tap of the kernel is 2 · 9 = 18, and by the corner of the image 2 · 9 / 4.
 * Attention of equal keys averages the values.
 *
 * @throws BackendError with what came out
 */
export async function selfTest(): Promise<void> {
  const image = tf.ones<tf.Rank.R4>([1, 4, 4, 1])
  const kernel = tf.ones<tf.Rank.R4>([3, 3, 1, 1])
  const results: tf.Tensor[] = [image, kernel]
  try {
    const loss = (x: tf.Tensor, w: tf.Tensor) =>
      tf.mean(tf.square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid'))) as tf.Scalar
    const { value, grads } = tf.valueAndGrads(loss as never)([image, kernel])
    const attended = tf.tidy(() => {
      const scores = tf.softmax(tf.matMul(tf.ones([1, 2, 3]), tf.ones([1, 4, 3]), false, true))
      return tf.matMul(scores, tf.tensor3d([1, 2, 3, 6], [1, 4, 1]))
    })
    results.push(value, ...grads, attended)
    const read = async (tensor: tf.Tensor) => [...(await tensor.data())]
    await expectNear('the forward pass of a convolution', await read(value), [81])
    await expectNear('its gradient by the kernel', await read(grads[1]!), new Array(9).fill(18))
    await expectNear('its gradient by a corner', (await read(grads[0]!)).slice(0, 1), [4.5])
    await expectNear('attention', await read(attended), [3, 3])
  } finally {
    tf.dispose(results)
  }
}

async function expectNear(what: string, got: readonly number[], right: readonly number[]): Promise<void> {
  if (
    got.length === right.length &&
    got.every((x, i) => Math.abs(x - right[i]!) < 1e-3 * Math.abs(right[i]!))
  )
    return
  throw new BackendError({
    rule: `the ${tf.getBackend()} backend must compute ${what} right (${right.join(', ')})`,
    got: got.join(', '),
    mend: 'Install it again, or use another backend.',
  })
}
