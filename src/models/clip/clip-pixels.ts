import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectShape } from '../../core/index.js'
import { type LevelsDialect, resizeLevels } from '../../nn/index.js'

/** How pictures come to the model's size. */
export interface ClipOptions {
  /**
   * Whose 8-bit bicubic: `'pillow'` (OpenAI's own, and transformers' up to version 4, or 5 with
   * `CLIPImageProcessorPil`) by default; `'torchvision'` is what transformers 5 resizes with where it is installed.
   * One pixel in 200 differs by one level.
   */
  readonly resize?: LevelsDialect
}

/**
 * Pictures as CLIP sees them: brought to 8-bit levels, bicubic with antialias to a shorter side of `size`, the centre
 * cut out, and normalised by the mean and deviation of its training set. Equal to transformers' to the last level.
 *
 * @param images - `[n, height, width, 3]` in [0, 1], borrowed; rounded to 255ths, as a picture file has them
 * @param size - 224 but for the largest models
 * @param resize - see {@link ClipOptions}
 * @returns `[n, size, size, 3]`, owned by the caller
 * @throws ShapeError without three channels, ArgumentError on another resize
 */
export function clipPixels(images: tf.Tensor4D, size: number, resize: LevelsDialect = 'pillow'): tf.Tensor4D {
  expectShape(images, [null, null, null, 3], 'clipPixels', 'images')
  expectResize(resize)
  const [n, height, width] = images.shape
  const shorter = Math.min(height, width)
  // The longer side is cut, not rounded, as torchvision and transformers do.
  const [rows, columns] = [height, width].map((side) => Math.trunc((side * size) / shorter)) as [
    number,
    number,
  ]
  const [top, left] = [Math.floor((rows - size) / 2), Math.floor((columns - size) / 2)]
  return tf.tidy(() => {
    const levels = tf.round(tf.mul(tf.clipByValue(images, 0, 1), 255)) as tf.Tensor4D
    const sized = resizeLevels(levels, [rows, columns], resize)
    const cut = tf.div(tf.slice(sized, [0, top, left, 0], [n, size, size, 3]), 255)
    const mean = [0.48145466, 0.4578275, 0.40821073]
    return tf.div(tf.sub(cut, mean), [0.26862954, 0.26130258, 0.27577711]) as tf.Tensor4D
  })
}

/** Asserts one of the two. */
export function expectResize(resize: string): void {
  if (resize === 'pillow' || resize === 'torchvision') return
  throw new ArgumentError({
    rule: "CLIP needs resize to be 'pillow' or 'torchvision'",
    got: JSON.stringify(resize),
    mend: "OpenAI's is 'pillow'.",
  })
}
