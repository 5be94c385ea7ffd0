import * as tf from '@tensorflow/tfjs'
import { formatShape, ShapeError } from '../../core/index.js'

/**
 * Pictures to one vector each. Any function will do wherever features are asked for: an embedding that separates
 * patients, a classifier's last layer but one, three lines of your own.
 *
 * Takes `[batch, height, width, channels]` in [0, 1] (borrowed), returns `[batch, width]`, owned by the caller.
 */
export type FeatureFunction = (images: tf.Tensor4D) => tf.Tensor2D | Promise<tf.Tensor2D>

/** A network that is loaded as a feature function; it owns its weights. */
export interface FeatureNetwork {
  /** Network and resize rule, for the report: `'inception-2015-12-05/pytorch-fid'`. */
  readonly name: string
  /** The length of a feature vector. */
  readonly width: number
  /** See {@link FeatureFunction}. */
  readonly features: (images: tf.Tensor4D) => tf.Tensor2D
  /** Frees the weights. Idempotent. */
  readonly dispose: () => void
  /** As `dispose`, for `using`. */
  readonly [Symbol.dispose]: () => void
}

/** A feature network of its parts; `tensors` are freed with it. */
export function featureNetwork(
  parts: Pick<FeatureNetwork, 'name' | 'width' | 'features'>,
  tensors: readonly tf.Tensor[],
): FeatureNetwork {
  const dispose = () => tf.dispose([...tensors])
  return { ...parts, dispose, [Symbol.dispose]: dispose }
}

/** Asserts three channels (or whatever the network was trained on). */
export function expectChannels(images: tf.Tensor4D, channels: number, where: string): void {
  if (images.rank === 4 && images.size > 0 && images.shape[3] === channels) return
  throw new ShapeError({
    rule: `${where} needs pictures of shape [batch, height, width, ${channels}]`,
    got: formatShape(images.shape),
    mend:
      images.rank === 4 && images.shape[3] === 1
        ? 'Repeat the grey channel: tf.tile(images, [1, 1, 1, 3]), or read with { channels: 3 }.'
        : `Read the pictures with { channels: ${channels} }.`,
  })
}
