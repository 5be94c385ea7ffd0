import type * as tf from '@tensorflow/tfjs'
import type { WasmKernelBackend } from './backend.js'

/**
 * This library's kernels `GroupNorm` and `LayerNorm`: `y = (x − μ) / √(σ² + ε) · weight + bias`, with `μ` and `σ²` of each sample's
 * groups of channels over all its pixels. In tfjs's operations it takes twenty, and on small maps their calls take
 * longer than the arithmetic.
 *
 * Inputs `x [batch, pixels, channels]`, `weight` and `bias [channels]`; attributes `groups`, 1 by default, and `epsilon`; results `y`
 * as `x`, and `μ` and `1 / √(σ² + ε)` as `[batch, 1, groups]`.
 */
export const normalize: tf.KernelFunc = ({ inputs, attrs, backend: any }) => {
  const backend = any as WasmKernelBackend
  const { groups = 1, epsilon } = attrs as unknown as { groups?: number; epsilon: number }
  const { x, weight, bias } = inputs as { x: tf.TensorInfo; weight: tf.TensorInfo; bias: tf.TensorInfo }
  const [batch, pixels, channels] = x.shape as [number, number, number]
  const results = [x.shape, [batch, 1, groups], [batch, 1, groups]].map((shape) =>
    backend.makeOutput(shape, 'float32'),
  )
  const [y, means, inverses] = results.map((t) => backend.typedArrayFromHeap(t)) as [Out, Out, Out]
  const [values, scales, shifts] = [x, weight, bias].map((t) => backend.typedArrayFromHeap(t)) as [In, In, In]
  const width = channels / groups
  for (let n = 0; n < batch; n++) {
    const start = n * pixels * channels
    const end = start + pixels * channels
    for (let g = 0; g < groups; g++) {
      let sum = 0
      let square = 0
      for (let row = start + g * width; row < end; row += channels) {
        for (let at = row; at < row + width; at++) {
          const value = values[at]!
          sum += value
          square += value * value
        }
      }
      const mean = sum / (pixels * width)
      // In doubles the difference of float32's squares loses nothing that float32 could hold.
      const variance = Math.max(0, square / (pixels * width) - mean * mean)
      const inverse = 1 / Math.sqrt(variance + epsilon)
      means[n * groups + g] = mean
      inverses[n * groups + g] = inverse
      for (let c = g * width; c < (g + 1) * width; c++) {
        const factor = scales[c]! * inverse
        const term = shifts[c]! - mean * factor
        for (let at = start + c; at < end; at += channels) y[at] = values[at]! * factor + term
      }
    }
  }
  return results
}

type In = Readonly<Float32Array>
type Out = Float32Array
