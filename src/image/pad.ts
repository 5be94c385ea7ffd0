import * as tf from '@tensorflow/tfjs'
import { expectNumber, expectShape, ShapeError } from '../core/index.js'
import { expectOneOf, toSize } from './checks.js'

/** A picture that a network accepts, and the size to cut its result back to. */
export interface PaddedImage {
  /** `[batch, height, width, channels]`, sides multiples of what was asked; owned by the caller. */
  readonly image: tf.Tensor4D
  /** The size before padding, `[height, width]`: for {@link cropToSize}. */
  readonly crop: readonly [height: number, width: number]
}

/** How {@link padToMultiple} continues the picture. */
export interface PadOptions {
  /** `'reflect'` (default) mirrors the picture without repeating its edge; `'replicate'` repeats the edge. */
  readonly mode?: 'reflect' | 'replicate'
}

/**
 * Grows a picture at its bottom and right until both sides are multiples of a number. Stable Diffusion needs
 * multiples of 8 (64 for its full depth); {@link cropToSize} restores the size afterwards.
 *
 * ```ts
 * const { image, crop } = padToMultiple(xray, 8)
 * const restored = cropToSize(edit(image), crop)
 * ```
 *
 * @param image - `[batch, height, width, channels]`; borrowed
 * @param multiple - of which both sides shall be multiples
 * @param options - what the new pixels show
 * @returns the grown picture (a copy where it already fits) and the size before
 * @throws `ShapeError` unless the tensor has four axes
 */
export function padToMultiple(image: tf.Tensor4D, multiple: number, options: PadOptions = {}): PaddedImage {
  const { mode = 'reflect' } = options
  expectShape(image, [null, null, null, null], 'padToMultiple', 'image')
  expectNumber(multiple, { min: 1, integer: true }, 'padToMultiple', 'multiple')
  expectOneOf(mode, ['reflect', 'replicate'], 'padToMultiple', 'mode')
  const [, height, width] = image.shape
  const source = mode === 'reflect' ? reflect : replicate
  const grown = tf.tidy(() => {
    let x = image.clone()
    for (const [axis, size] of [[1, height] as const, [2, width] as const]) {
      const missing = (multiple - (size % multiple)) % multiple
      if (missing === 0) continue
      const positions = Array.from({ length: size + missing }, (_, i) => source(i, size))
      x = tf.gather(x, tf.tensor1d(positions, 'int32'), axis)
    }
    return x
  })
  return { image: grown, crop: [height, width] }
}

/**
 * The top left part of a picture: undoes {@link padToMultiple}.
 *
 * @param image - `[batch, height, width, channels]`; borrowed
 * @param size - `[height, width]`, no larger than the picture
 * @returns `[batch, ...size, channels]`, owned by the caller
 * @throws `ShapeError` when the picture is smaller than `size`
 */
export function cropToSize(image: tf.Tensor4D, size: readonly [height: number, width: number]): tf.Tensor4D {
  expectShape(image, [null, null, null, null], 'cropToSize', 'image')
  const [height, width] = toSize(size, 'cropToSize')
  const [batch, fullHeight, fullWidth, channels] = image.shape
  if (height > fullHeight || width > fullWidth) {
    throw new ShapeError({
      rule: `cropToSize needs an image of at least ${height}×${width}`,
      got: `${fullHeight}×${fullWidth}`,
      mend: 'It only cuts; use resizeImage() to grow a picture.',
    })
  }
  return tf.slice(image, [0, 0, 0, 0], [batch, height, width, channels])
}

// A triangular wave, so that a picture narrower than its padding is mirrored back and forth.
function reflect(position: number, size: number): number {
  if (size === 1) return 0
  const period = 2 * (size - 1)
  const phase = position % period
  return phase < size ? phase : period - phase
}

function replicate(position: number, size: number): number {
  return Math.min(position, size - 1)
}
