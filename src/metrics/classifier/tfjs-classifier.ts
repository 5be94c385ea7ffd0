import type { LayersModel, Tensor, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { type Classifier, rowsOf } from './classifier.js'

/** How a model wants its pictures, and what it gives. */
export interface TfjsClassifierOptions {
  /** Pictures in [0, 1] to what the model reads: a size, a range, one channel; the pictures as they are. */
  readonly prepare?: ((images: Tensor4D) => Tensor) | undefined
  /** Applied to the model's output; `'none'`. */
  readonly activation?: 'none' | 'sigmoid' | 'softmax' | undefined
}

/**
 * A classifier from a TensorFlow.js model (layers or graph): anything with `predict`.
 *
 * ```ts
 * const classify = tfjsClassifier(await tf.loadLayersModel(url), { activation: 'sigmoid' })
 * ```
 *
 * @param model - borrowed: the caller disposes of it
 * @param options - preparation and activation
 * @returns predictions of the first output, `[batch, labels]`
 * @throws ArgumentError, from the classifier, when the output has no row per picture or several outputs
 */
export function tfjsClassifier(
  model: Pick<LayersModel, 'predict'>,
  { prepare, activation = 'none' }: TfjsClassifierOptions = {},
): Classifier {
  return async (images) => {
    const output = tf.tidy(() => {
      const raw = model.predict(prepare ? prepare(images) : images)
      if (Array.isArray(raw)) throw severalOutputs(raw.length)
      // A model that returns its input must not have it freed below.
      if (activation === 'none') return raw.clone()
      return activation === 'sigmoid' ? raw.sigmoid() : raw.softmax()
    })
    const data = await output.data().finally(() => output.dispose())
    return rowsOf(data, images.shape[0], 'tfjsClassifier')
  }
}

function severalOutputs(count: number): ArgumentError {
  return new ArgumentError({
    rule: 'tfjsClassifier needs a model with one output',
    got: `${count}`,
    mend: 'Build a model that ends at the output you want: tf.model({ inputs, outputs: model.outputs[0] }).',
  })
}
