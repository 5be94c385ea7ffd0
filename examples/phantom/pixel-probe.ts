import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { ModelUnderTest } from 'contrafact/lance'
import { phantomBatch } from './dataset.js'

/** What the probe answers. */
export const probeLabels = ['cardiomegaly', 'effusion', 'pacemaker', 'line', 'female'] as const

const side = 16

/**
 * A model to be tested: logistic regressions on 16 × 16 pixels, one per label, fitted in a second on phantoms that
 * neither the diffusion model nor the test has seen. A weak and honest stand-in for a classifier: it sees the whole
 * picture, so it can lean on whatever goes with a label. It shares nothing with the detectors that gate the edits.
 *
 * @param count - phantoms to fit on
 */
export async function fitPixelProbe(count = 800): Promise<{ predict: ModelUnderTest; dispose: () => void }> {
  const { images, shape, patients } = phantomBatch(
    Array.from({ length: count }, (_, i) => i),
    { split: 'detectors' },
  )
  const labels = patients.map(({ attributes }) =>
    probeLabels.map((label) => Number(label === 'female' ? attributes.sex === 'female' : attributes[label])),
  )
  const weights = tf.variable(tf.zeros([side * side, probeLabels.length]))
  const bias = tf.variable(tf.zeros([probeLabels.length]))
  const logits = (x: Tensor2D) => x.matMul(weights as unknown as Tensor2D).add(bias)
  const [x, y] = tf.tidy(() => [pixels(tf.tensor4d(images, [...shape])), tf.tensor2d(labels)] as const)
  const optimizer = tf.train.adam(0.03)
  for (let step = 0; step < 300; step++) {
    optimizer.minimize(() => {
      const fit = tf.losses.sigmoidCrossEntropy(y, logits(x))
      return fit.add(weights.square().mean().mul(0.02)) as tf.Scalar
    })
  }
  tf.dispose([x, y])
  optimizer.dispose()
  return {
    async predict(images: Tensor4D) {
      const scores = tf.tidy(() => tf.sigmoid(logits(pixels(images))) as Tensor2D)
      const rows = await scores.array()
      scores.dispose()
      return rows.map((row) => Object.fromEntries(probeLabels.map((label, i) => [label, row[i]!])))
    },
    dispose: () => tf.dispose([weights, bias]),
  }
}

function pixels(images: Tensor4D): Tensor2D {
  return tf.tidy(() => {
    const [count, height, width] = images.shape
    const small = tf.avgPool(
      images.mean<Tensor4D>(3, true),
      [height / side, width / side],
      [height / side, width / side],
      'valid',
    )
    return small
      .reshape<Tensor2D>([count, side * side])
      .sub(0.4)
      .mul(3)
  })
}
