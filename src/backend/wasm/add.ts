import type * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { simdOf } from './simd.js'

/** `Add` of floats of one shape, or where one of them has axes of 1 on one side of those that they share; or nothing. */
export function add({ inputs, backend: host }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo | undefined {
  const [one, other] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor]
  const [a, b] = one.size < other.size ? [other, one] : [one, other]
  const rows = repeatedRows(a.shape, b.shape)
  if (!rows || a.dtype !== 'float32' || b.dtype !== 'float32' || a.size === 0) return undefined
  const backend = host as WasmKernelBackend
  const y = backend.makeOutput(a.shape, 'float32')
  const [left, right, sum] = [a, b, y].map((t) => addressOf(backend, t)) as [number, number, number]
  simdOf(backend).add(left, right, ...rows, sum)
  return y
}

/** How every row of `b` stands for several of `a`: `[batch, …, channels]` and `[batch, 1, …, channels]` or `[channels]`. */
function repeatedRows(
  a: readonly number[],
  b: readonly number[],
): [rows: number, repeats: number, width: number] | undefined {
  if (b.length > a.length) return undefined
  const aligned = [...new Array<number>(a.length - b.length).fill(1), ...b]
  const differs = (axis: number) => aligned[axis] !== a[axis]
  const first = a.findIndex((_, axis) => differs(axis))
  const size = (axes: readonly number[]) => axes.reduce((product, n) => product * n, 1)
  if (first < 0) return [1, 1, size(a)]
  const last = a.findLastIndex((_, axis) => differs(axis))
  if (aligned.slice(first, last + 1).some((n) => n !== 1)) return undefined
  const repeats = size(a.slice(first, last + 1))
  return [size(a.slice(0, last + 1)), repeats, size(a.slice(last + 1))]
}
