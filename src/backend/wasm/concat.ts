import * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { simdOf } from './simd.js'

/** `Concat` of what is not strings or flags: rows of each, side by side. */
export function concat({
  inputs,
  attrs,
  backend: host,
}: Parameters<tf.KernelFunc>[0]): tf.TensorInfo | undefined {
  const parts = (inputs as unknown as tf.Tensor[]).filter(({ size }) => size > 0)
  const [first] = parts
  if (!first || parts.some(({ dtype }) => dtype === 'string' || dtype === 'bool')) return undefined
  const [axis] = tf.util.parseAxisParam((attrs as unknown as { axis: number }).axis, first.shape) as [number]
  const backend = host as WasmKernelBackend
  const width = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0)
  const out = backend.makeOutput(first.shape.with(axis, width), first.dtype)
  const rows = tf.util.sizeFromShape(first.shape.slice(0, axis))
  const bytes = parts.map(({ size }) => (4 * size) / rows)
  const step = bytes.reduce((sum, n) => sum + n, 0)
  let to = addressOf(backend, out)
  parts.forEach((part, i) => {
    simdOf(backend).copyRows(addressOf(backend, part), bytes[i]!, to, step, rows, bytes[i]!)
    to += bytes[i]!
  })
  return out
}
