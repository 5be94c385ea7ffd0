import * as tf from '@tensorflow/tfjs'
import { arena } from './arena.js'
import { addressOf, type WasmKernelBackend } from './backend.js'
import type { Operands } from './convolutions.js'
import { packedBytes, withPacked } from './packed.js'
import { type At, simdOf } from './simd.js'

/** `BatchMatMul`, and `_FusedMatMul` where there is but a bias to add. */
export const batchMatMul: tf.KernelFunc = (call) => {
  const { transposeA, transposeB } = call.attrs as unknown as { transposeA: boolean; transposeB: boolean }
  const [a, b] = [call.inputs.a as tf.Tensor, call.inputs.b as tf.Tensor]
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const backend = call.backend as WasmKernelBackend
  const [rows, depth] = sidesOf(a, transposeA)
  const [, columns] = sidesOf(b, transposeB)
  const out = backend.makeOutput([...outer, rows, columns], 'float32')
  const count = tf.util.sizeFromShape(outer)
  // One right matrix for all makes one tall left matrix.
  const shared = b.size === depth * columns
  tf.tidy(() => {
    const [left, right] = [spread(a, outer), shared ? b : spread(b, outer)]
    const of = shared ? { matrices: 1, rows: count * rows } : { matrices: count, rows }
    const at = transposeA ? turned(backend, left, count, depth, rows) : addressOf(backend, left)
    multiply(backend, right, { ...of, depth, columns, turned: transposeB }, placesOf(backend, at, call, out))
  })
  return out
}

/** This library's kernels `Linear` and `LinearPlus`: rows of any rank by a matrix, and something added to them. */
export const linear: tf.KernelFunc = (call) => {
  const [x, weight] = [call.inputs.x as tf.Tensor, call.inputs.weight as tf.Tensor2D]
  const backend = call.backend as WasmKernelBackend
  const [depth, columns] = weight.shape
  const out = backend.makeOutput([...x.shape.slice(0, -1), columns], 'float32')
  const of = { matrices: 1, rows: x.size / depth, depth, columns, turned: false }
  if (x.size > 0) multiply(backend, weight, of, placesOf(backend, addressOf(backend, x), call, out))
  return out
}

const placesOf = (
  backend: WasmKernelBackend,
  x: At,
  { inputs }: Parameters<tf.KernelFunc>[0],
  out: tf.TensorInfo,
) => {
  const [bias, plus, y] = [inputs.bias, inputs.plus, out].map((t) => addressOf(backend, t)) as [At, At, At]
  return { x, bias, plus, y }
}

interface Sizes {
  readonly matrices: number
  readonly rows: number
  readonly depth: number
  readonly columns: number
  /** Whether the right matrices are stored as `[columns, depth]`. */
  readonly turned: boolean
}

/** A product of what lies somewhere in the heap: a convolution of maps of one line by a kernel of one pixel. */
export function multiply(
  backend: WasmKernelBackend,
  right: tf.TensorInfo,
  sizes: Sizes,
  { x, bias, plus, y }: Omit<Operands, 'biasSample'>,
): void {
  const { matrices, rows, depth, columns } = sizes
  const step = matrices === 1 ? 0 : packedBytes({ ...sizes, matrices: 1 })
  withPacked(backend, right, sizes, (filter) =>
    simdOf(backend).convolve(
      ...([x, matrices, 1, rows, depth, 1, 1, 1, 0, 0] as const),
      ...([1, rows, columns, filter, step, bias, 0, plus, y] as const),
    ),
  )
}

const sidesOf = (t: tf.Tensor, transposed: boolean): [rows: number, columns: number] => {
  const [rows, columns] = t.shape.slice(-2) as [number, number]
  return transposed ? [columns, rows] : [rows, columns]
}

// One matrix per outer index.
const spread = (t: tf.Tensor, outer: readonly number[]): tf.Tensor =>
  t.size === tf.util.sizeFromShape([...outer, ...t.shape.slice(-2)])
    ? t
    : tf.broadcastTo(t, [...outer, ...t.shape.slice(-2)])

const arenas = new WeakMap<object, (bytes: number) => At>()

function turned(
  backend: WasmKernelBackend,
  t: tf.Tensor,
  matrices: number,
  rows: number,
  columns: number,
): At {
  const room = arenas.get(backend) ?? arena(backend)
  arenas.set(backend, room)
  const to = room(4 * t.size)
  for (let i = 0; i < matrices; i++) {
    const skip = 4 * i * rows * columns
    simdOf(backend).turn(addressOf(backend, t) + skip, rows, columns, to + skip)
  }
  return to
}
