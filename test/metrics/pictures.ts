import * as tf from '@tensorflow/tfjs'

/** A batch from a formula of picture, row, column and channel. */
export function pictures(
  [batch, height, width, channels]: readonly [number, number, number, number],
  value: (b: number, i: number, j: number, c: number) => number,
): tf.Tensor4D {
  const data = new Float32Array(batch * height * width * channels)
  let at = 0
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) for (let c = 0; c < channels; c++) data[at++] = value(b, i, j, c)
  return tf.tensor4d(data, [batch, height, width, channels])
}

const x = (i: number, j: number) => (3 * i + 2 * j + 5 * ((i * j) % 29)) % 256
const y = (i: number, j: number) =>
  Math.min(255, Math.max(0, Math.floor((3 * x(i, j)) / 5) + 60 + 3 * ((13 * i + 7 * j) % 31) - 45))

/** The whole-number pair A, in [0, 255], one grey picture each. */
export function pairA(n: number): [tf.Tensor4D, tf.Tensor4D] {
  return [pictures([1, n, n, 1], (_, i, j) => x(i, j)), pictures([1, n, n, 1], (_, i, j) => y(i, j))]
}

/** Smooth colour pictures in [0, 255]. */
export function sines(batch: number, n: number, phase: number): tf.Tensor4D {
  const value = (b: number, i: number, j: number, c: number) =>
    127.5 +
    100 * Math.sin(0.11 * i + 0.07 * j * (c + 1) + b + phase) +
    25 * Math.cos(0.9 * i - 0.5 * j + phase * c)
  return pictures([batch, n, n, 3], (...at) => Math.min(255, Math.max(0, Math.floor(value(...at)))))
}
