import * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'

/** `Slice`, run by run of what lies together in memory. tfjs copies the whole tensor out of the heap first. */
export const slice: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const x = inputs.x as tf.Tensor
  const request = attrs as unknown as { begin: number | number[]; size: number | number[] }
  const [begin, size] = tf.slice_util.parseSliceParams(x, request.begin, request.size) as [number[], number[]]
  tf.slice_util.assertParamsValid(x, begin, size)
  return copyOf(backend as WasmKernelBackend, x, begin, size)
}

/** `SplitV`: slices. */
export const split: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const x = inputs.x as tf.Tensor
  const request = attrs as unknown as { numOrSizeSplits: number | number[]; axis: number }
  const [axis] = tf.util.parseAxisParam(request.axis, x.shape) as [number]
  let start = 0
  return tf.backend_util.prepareSplitSize(x, request.numOrSizeSplits, axis).map((length) => {
    const begin = x.shape.map((_, i) => (i === axis ? start : 0))
    start += length
    return copyOf(backend as WasmKernelBackend, x, begin, x.shape.with(axis, length))
  })
}

function copyOf(
  backend: WasmKernelBackend,
  x: tf.TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): tf.TensorInfo {
  const out = backend.makeOutput(size, x.dtype)
  const bytes = tf.util.bytesPerElement(x.dtype)
  const [from, to] = [addressOf(backend, x), addressOf(backend, out)]
  const heap = backend.wasm.HEAPU8
  const strides = tf.util.computeStrides([...x.shape, 1])
  // From this axis on, a run: the axes within are taken whole.
  let run = x.shape.length - 1
  while (run > 0 && size[run] === x.shape[run]) run--
  const runBytes = size.slice(run).reduce((product, n) => product * n, bytes)
  const runs = size.slice(0, run).reduce((product, n) => product * n, 1)
  const at = [...begin]
  for (let i = 0; i < runs; i++) {
    const offset = from + bytes * at.reduce((sum, index, axis) => sum + index * strides[axis]!, 0)
    heap.copyWithin(to + i * runBytes, offset, offset + runBytes)
    for (let axis = run - 1; axis >= 0 && ++at[axis]! === begin[axis]! + size[axis]!; axis--) {
      at[axis] = begin[axis]!
    }
  }
  return out
}
