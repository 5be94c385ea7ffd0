import * as tf from '@tensorflow/tfjs'
import type { WasmKernelBackend } from './backend.js'

/*
 * Both norms are `y = (x − μ) / √(σ² + ε) · weight + bias`. In tfjs's operations they take ten and twenty, and on small maps
 * their calls take longer than the arithmetic.
 */

interface NormInputs {
  readonly x: tf.TensorInfo
  /** `[channels]` */
  readonly weight: tf.TensorInfo
  /** `[channels]` */
  readonly bias: tf.TensorInfo
}

/**
 * This library's kernel `GroupNorm`: `μ` and `σ²` of each sample's groups of channels over all its pixels. From `x [batch,
 * pixels, channels]` to `y`, and `μ` and `1 / √(σ² + ε)` as `[batch, 1, groups]`.
 */
export const groupNorm: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const operands = inputs as unknown as NormInputs
  const { groups, epsilon } = attrs as unknown as { groups: number; epsilon: number }
  const shape = operands.x.shape as [number, number, number]
  return normalize(backend as WasmKernelBackend, operands, shape, groups, epsilon)
}

/** This library's kernel `LayerNorm`: `μ` and `σ²` over the last axis of `x`, to `y`; no statistics. */
export const layerNorm: tf.KernelFunc = ({ inputs, attrs, backend: any }) => {
  const backend = any as WasmKernelBackend & tf.KernelBackend
  const operands = inputs as unknown as NormInputs
  const { epsilon } = attrs as unknown as { epsilon: number }
  const channels = operands.x.shape.at(-1)!
  const rows = tf.util.sizeFromShape(operands.x.shape) / channels
  const [y, ...statistics] = normalize(backend, operands, [rows, 1, channels], 1, epsilon)
  for (const { dataId } of statistics) backend.disposeData(dataId)
  return y!
}

function normalize(
  backend: WasmKernelBackend,
  { x, weight, bias }: NormInputs,
  [batch, pixels, channels]: readonly [number, number, number],
  groups: number,
  epsilon: number,
): tf.TensorInfo[] {
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
