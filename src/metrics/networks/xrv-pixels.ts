import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { separableResize } from '../../nn/index.js'
import { expectChannels } from './feature-network.js'

/** Whose way to 224 × 224: see the table of {@link XrvOptions}. */
export type XrvDialect = 'torchxrayvision-1.5' | 'xray-resizer' | 'bilinear'

/** How pictures come to the size that the network was trained on. */
export interface XrvOptions {
  /**
   * | dialect | resize |
   * | --- | --- |
   * | `'torchxrayvision-1.5'` (default) | the centre square; bilinear with antialias, as the package's models do |
   * | `'xray-resizer'` | the centre square; its `XRayResizer(224)`: scikit-image's resize, zeros outside |
   * | `'bilinear'` | the whole picture, stretched; bilinear without antialias |
   */
  readonly dialect?: XrvDialect
}

const dialects: readonly XrvDialect[] = ['torchxrayvision-1.5', 'xray-resizer', 'bilinear']

/**
 * Pictures as TorchXRayVision's networks see them: grey, resized to 224 × 224 under a dialect, in [−1024, 1024].
 *
 * @param images - `[n, height, width, 1 or 3]` in [0, 1], borrowed
 * @param dialect - whose resize, see {@link XrvOptions}
 * @returns `[n, 224, 224, 1]`, owned by the caller
 * @throws ShapeError on other channels, ArgumentError on another dialect
 */
export function xrvPixels(images: tf.Tensor4D, dialect: XrvDialect = 'torchxrayvision-1.5'): tf.Tensor4D {
  expectDialect(dialect)
  expectChannels(images, images.shape[3] === 3 ? 3 : 1, 'xrvDenseNet')
  return tf.tidy(() => {
    const grey = images.shape[3] === 1 ? images : tf.mean<tf.Tensor4D>(images, 3, true)
    const scaled = tf.mul<tf.Tensor4D>(tf.sub(tf.mul(grey, 2), 1), 1024)
    if (dialect === 'bilinear') return separableResize(scaled, [224, 224], 'torch-bilinear')
    const square = centreSquare(scaled)
    if (dialect === 'torchxrayvision-1.5') return separableResize(square, [224, 224], 'pil-bilinear')
    // scikit-image clips to the extremes of each picture, so that the zeros outside never show.
    const resized = separableResize(square, [224, 224], 'skimage-linear')
    const [low, high] = [tf.min(square, [1, 2, 3], true), tf.max(square, [1, 2, 3], true)]
    return tf.minimum<tf.Tensor4D>(tf.maximum(resized, low), high)
  })
}

function centreSquare(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape
  const side = Math.min(height, width)
  const start = (size: number) => Math.floor(size / 2) - Math.floor(side / 2)
  return tf.slice(x, [0, start(height), start(width), 0], [-1, side, side, -1])
}

/** Asserts one of the three, or none. */
export function expectDialect(dialect: XrvDialect | undefined): void {
  if (dialect === undefined || dialects.includes(dialect)) return
  throw new ArgumentError({
    rule: `xrvDenseNet needs dialect to be one of ${dialects.join(', ')}`,
    got: JSON.stringify(dialect),
    mend: "The package's own models resize by 'torchxrayvision-1.5'.",
  })
}
