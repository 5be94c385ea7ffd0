import type { Tensor4D } from '@tensorflow/tfjs'
import {
  ArgumentError,
  expectShape,
  geometryOf,
  type LatentDiffusion,
  padEdges,
  ShapeError,
} from '../core/index.js'

/**
 * One image to its latents, after checking that it is one: the mistakes of range and shape that would
 * otherwise end in a plausible picture of something else.
 *
 * @param model - whose autoencoder encodes; sides that are no multiple of its
 *   `geometry.multiple` are padded at the bottom and the right
 * @param image - `[1, height, width, 3]` in [0, 1]; borrowed
 * @param where - the public function that needs it
 * @returns `[1, height / 8, width / 8, 4]` for Stable Diffusion, owned by the caller
 * @throws ShapeError unless it is one RGB image
 * @throws ArgumentError when a pixel is not a number in [0, 1]
 */
export async function encodeSingleImage(
  model: LatentDiffusion,
  image: Tensor4D,
  where: string,
): Promise<Tensor4D> {
  expectOneImage(image, where)
  expectPixels(await image.data(), where)
  const padded = padEdges(image, geometryOf(model).multiple)
  try {
    return model.encodeImage(padded)
  } finally {
    padded.dispose()
  }
}

function expectOneImage(image: Tensor4D, where: string): void {
  if (image.shape.length === 4 && image.shape[0] > 1 && image.shape[3] === 3) {
    throw new ShapeError({
      rule: `${where} needs one image, [1, height, width, 3]`,
      got: `a batch of ${image.shape[0]}`,
      mend: 'Call it once per image; each image has its own path.',
    })
  }
  expectShape(image, [1, null, null, 3], where, 'image')
}

// Resizing and decoding may overshoot by rounding, nothing else may.
const slack = 1e-4

function expectPixels(pixels: Float32Array | Int32Array | Uint8Array, where: string): void {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let finite = true
  for (const pixel of pixels) {
    finite &&= Number.isFinite(pixel)
    if (pixel < low) low = pixel
    if (pixel > high) high = pixel
  }
  if (finite && low >= -slack && high <= 1 + slack) return
  throw new ArgumentError({
    rule: `${where} needs pixels in [0, 1]`,
    got: finite ? `values from ${low} to ${high}` : 'values that are not finite',
    mend: high > 2 ? 'Divide 8-bit pixels by 255.' : 'Map [-1, 1] by x / 2 + 0.5, and clip what overshoots.',
  })
}
