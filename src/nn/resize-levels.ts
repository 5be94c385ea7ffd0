import * as tf from '@tensorflow/tfjs'
import { axisWeights, fixedPoint } from '../core/index.js'
import { denseRows } from './separable-resize.js'

/** Whose 8-bit resize: Pillow's, or PyTorch's of `uint8` tensors. They differ by one level, in one pixel of 200. */
export type LevelsDialect = 'pillow' | 'torchvision'

/**
 * Bicubic resize of 8-bit pictures with antialias, equal to the named library's to the last level: columns first,
 * then rows, whole-number weights, rounded and clipped to a level after each.
 *
 * @param levels - `[batch, height, width, channels]`, whole numbers from 0 to 255; borrowed
 * @param size - `[height, width]` of the result
 * @param dialect - whose weights: of 22 bits, or of as many as 16-bit whole numbers can hold
 * @returns `[batch, ...size, channels]`, whole numbers from 0 to 255; owned by the caller
 */
export function resizeLevels(
  levels: tf.Tensor4D,
  [height, width]: readonly [number, number],
  dialect: LevelsDialect,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, rows, columns, channels] = levels.shape
    // The axis that is resized goes last, so that each pass is plain 2-D products.
    const columnsLast = tf.reshape(tf.transpose(levels, [0, 1, 3, 2]), [-1, columns]) as tf.Tensor2D
    const wide = tf.reshape(pass(columnsLast, width, dialect), [batch, rows, channels, width])
    const rowsLast = tf.reshape(tf.transpose(wide, [0, 3, 2, 1]), [-1, rows]) as tf.Tensor2D
    const tall = tf.reshape(pass(rowsLast, height, dialect), [batch, width, channels, height])
    return tf.transpose(tall, [0, 3, 1, 2]) as tf.Tensor4D
  })
}

/**
 * `[n, size]` to `[n, target]`. A weight is `high · 2¹¹ + low` units: the sums of either part are whole numbers below
 * 2²⁴, so that single precision holds them exactly on every backend, and the rounding is the integers'.
 */
function pass(x: tf.Tensor2D, target: number, dialect: LevelsDialect): tf.Tensor2D {
  const size = x.shape[1]
  if (size === target) return x
  const { starts, taps } = axisWeights(size, 0, size, target, 'cubic')
  const bits = dialect === 'pillow' ? 22 : bitsOf(taps)
  const whole = taps.map((row) => fixedPoint(row, 2 ** bits))
  const high = whole.map((row) => row.map((w) => Math.round(w / 2 ** 11)))
  const low = whole.map((row, i) => row.map((w, k) => w - high[i]![k]! * 2 ** 11))
  const sums = (part: readonly Float64Array[]) =>
    tf.matMul(x, tf.tensor2d(denseRows(size, starts, part), [target, size]), false, true)
  const unit = 2 ** (bits - 11)
  const halved = tf.add(sums(high), unit / 2)
  const level = tf.floor(tf.div(halved, unit))
  const rest = tf.add(tf.sub(halved, tf.mul(level, unit)), tf.div(sums(low), 2 ** 11))
  return tf.clipByValue(tf.add(level, tf.floor(tf.div(rest, unit))), 0, 255) as tf.Tensor2D
}

/** The most bits, at most 22, with which the largest weight is below 2¹⁵. */
function bitsOf(taps: readonly Float64Array[]): number {
  const largest = Math.max(...taps.map((row) => Math.max(...row)))
  let bits = 0
  while (bits < 22 && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++
  return bits
}
