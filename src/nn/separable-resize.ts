import * as tf from '@tensorflow/tfjs'

/**
 * How a batch is resized, by the name of who does it so:
 *
 * - `'torch-bilinear'`: `F.interpolate(mode="bilinear", align_corners=False)`, no antialias; pytorch-fid
 * - `'tf1-bilinear'`: TensorFlow 1's legacy corner rule `source = target · in / out`; torch-fidelity, torchmetrics
 * - `'pil-bicubic'`: PIL's BICUBIC (a = −0.5), widened when shrinking, in float, unclipped; clean-fid, CLIP
 * - `'pil-bilinear'`: PIL's BILINEAR, widened when shrinking, in float
 */
export type SeparableKernel = 'torch-bilinear' | 'tf1-bilinear' | 'pil-bicubic' | 'pil-bilinear'

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
  const matrix = new Float32Array(size * target)
  const scale = size / target
  for (let i = 0; i < target; i++) {
    const row = matrix.subarray(i * size, (i + 1) * size)
    if (kernel === 'torch-bilinear' || kernel === 'tf1-bilinear') {
      const at = kernel === 'tf1-bilinear' ? i * scale : Math.max(0, (i + 0.5) * scale - 0.5)
      const low = Math.min(size - 1, Math.floor(at))
      const fraction = at - low
      row[low]! += 1 - fraction
      row[Math.min(size - 1, low + 1)]! += fraction
    } else antialiased(row, (i + 0.5) * scale, Math.max(1, scale), kernel)
  }
  return matrix
}

// The kernel is widened by the shrinking factor and normalised over what lies inside the picture.
function antialiased(row: Float32Array, centre: number, stretch: number, kernel: SeparableKernel): void {
  const [radius, weight] = kernel === 'pil-bicubic' ? ([2, keys] as const) : ([1, triangle] as const)
  const first = Math.max(0, Math.trunc(centre - radius * stretch + 0.5))
  const end = Math.min(row.length, Math.trunc(centre + radius * stretch + 0.5))
  const taps = Array.from({ length: end - first }, (_, k) => weight((first + k - centre + 0.5) / stretch))
  const sum = taps.reduce((a, b) => a + b, 0)
  taps.forEach((tap, k) => {
    row[first + k] = tap / sum
  })
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x))
}

// Keys 1981, a = -0.5.
function keys(x: number): number {
  const d = Math.abs(x)
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0
}
