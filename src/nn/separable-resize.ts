import * as tf from '@tensorflow/tfjs'
import { axisWeights } from '../core/index.js'

/**
 * How a batch is resized, by the name of who does it so:
 *
 * - `'torch-bilinear'`: `F.interpolate(mode="bilinear", align_corners=False)`, no antialias; pytorch-fid
 * - `'tf1-bilinear'`: TensorFlow 1's legacy corner rule `source = target · in / out`; torch-fidelity, torchmetrics
 * - `'pil-bicubic'`: PIL's BICUBIC (a = −0.5), widened when shrinking, in float, unclipped; clean-fid, CLIP
 * - `'pil-bilinear'`: PIL's BILINEAR, widened when shrinking, in float; also `F.interpolate` with `antialias=True`
 * - `'skimage-linear'`: `skimage.transform.resize` of order 1, mode `'constant'`: a Gaussian when shrinking, zeros
 *   outside; TorchXRayVision's transform. Its clip to the picture's own extremes is the caller's
 */
export type SeparableKernel =
  | 'torch-bilinear'
  | 'tf1-bilinear'
  | 'pil-bicubic'
  | 'pil-bilinear'
  | 'skimage-linear'

/**
 * Resizes a batch by two matrix products, one per axis: `rows · x · columnsᵀ`.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param size - `[height, width]` of the result
 * @param kernel - whose rule
 * @returns `[batch, ...size, channels]`, not clipped, owned by the caller
 */
export function separableResize(
  x: tf.Tensor4D,
  [height, width]: readonly [number, number],
  kernel: SeparableKernel,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, rows, columns, channels] = x.shape
    const down = tf.tensor2d(resizeMatrix(rows, height, kernel), [height, rows])
    const across = tf.tensor2d(resizeMatrix(columns, width, kernel), [width, columns])
    // The axis that is resized goes last, so that each is one plain 2-D product.
    const rowsLast = tf.reshape(tf.transpose(x, [0, 2, 3, 1]), [-1, rows])
    const tall = tf.reshape(tf.matMul(rowsLast, down, false, true), [batch, columns, channels, height])
    const columnsLast = tf.reshape(tf.transpose(tall, [0, 3, 2, 1]), [-1, columns])
    const wide = tf.reshape(tf.matMul(columnsLast, across, false, true), [batch, height, channels, width])
    return tf.transpose(wide, [0, 1, 3, 2]) as tf.Tensor4D
  })
}

function resizeMatrix(size: number, target: number, kernel: SeparableKernel): Float32Array {
  if (kernel === 'pil-bicubic' || kernel === 'pil-bilinear') {
    const { starts, taps } = axisWeights(size, 0, size, target, kernel === 'pil-bicubic' ? 'cubic' : 'linear')
    return denseRows(size, starts, taps)
  }
  if (kernel === 'skimage-linear') return blurredLinear(size, target)
  const scale = size / target
  const starts: number[] = []
  const taps: number[][] = []
  for (let i = 0; i < target; i++) {
    const at = kernel === 'tf1-bilinear' ? i * scale : Math.max(0, (i + 0.5) * scale - 0.5)
    // At the last pixel there is no next one: all weight is its own.
    const low = Math.min(size - 1, Math.floor(at))
    starts.push(low)
    taps.push(low === size - 1 ? [1] : [1 - (at - low), at - low])
  }
  return denseRows(size, starts, taps)
}

/** Rows of weights as a matrix `[rows, size]`. */
export function denseRows(
  size: number,
  starts: readonly number[],
  taps: readonly ArrayLike<number>[],
): Float32Array {
  const matrix = new Float32Array(size * starts.length)
  for (const [i, start] of starts.entries()) matrix.set(taps[i]!, i * size + start)
  return matrix
}

// Linear interpolation of what a Gaussian of half the excess shrinking, cut off at 4 deviations, has blurred.
function blurredLinear(size: number, target: number): Float32Array {
  const scale = size / target
  const sigma = Math.max(0, (scale - 1) / 2)
  const reach = Math.floor(4 * sigma + 0.5)
  const bell = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    sigma === 0 ? 1 : Math.exp(-(((k - reach) / sigma) ** 2) / 2),
  )
  const sum = bell.reduce((a, b) => a + b, 0)
  const matrix = new Float32Array(size * target)
  for (let i = 0; i < target; i++) {
    const at = (i + 0.5) * scale - 0.5
    const low = Math.floor(at)
    const inside = (pixel: number) => pixel >= 0 && pixel < size
    for (const [pixel, weight] of [
      [low, 1 - (at - low)],
      [low + 1, at - low],
    ] as const) {
      if (!inside(pixel)) continue
      bell.forEach((tap, k) => {
        const from = pixel + k - reach
        if (inside(from)) matrix[i * size + from]! += (weight * tap) / sum
      })
    }
  }
  return matrix
}
