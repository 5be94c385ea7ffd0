import * as tf from '@tensorflow/tfjs'
import { packingBytes } from '../kernel-memory.js'
import { replaceKernel } from '../replace-kernel.js'
import { add } from './add.js'
import { concat } from './concat.js'
import { conv2d, filterGradient, inputGradient } from './convolutions.js'
import { wasmHeapOf } from './heap.js'
import { ownKernels } from './own-kernels.js'
import { batchMatMul } from './products.js'
import { slice, split } from './slice.js'

/**
 * Gives the wasm backend the kernels that training and attention need and that it lacks, and those of `native/wasm` in place of
 * slower ones. Idempotent; other backends are left alone.
 *
 * - `Conv2D`, `FusedConv2D`, `BatchMatMul`, `_FusedMatMul`: see `convolutions.ts` and `products.ts`;
 * - `Slice` and `SplitV`: without copying the whole first;
 * - `Conv2DBackpropInput`, `Conv2DBackpropFilter`: as convolutions and products;
 * - `UnsortedSegmentSum`: the gradient of `tf.gather`;
 * - attention, norms and activations with their gradients: this library's own, see `own-kernels.ts`.
 */
export function installWasmKernels(): void {
  if (tf.getKernel('GroupNorm', 'wasm')) return
  for (const name of ['BatchMatMul', '_FusedMatMul'])
    replaceKernel('wasm', name, ofFloats(name, ['a', 'b'], batchMatMul))
  for (const name of ['Conv2D', 'FusedConv2D'])
    replaceKernel('wasm', name, ofFloats(name, ['x', 'filter'], conv2d))
  replaceKernel('wasm', 'Add', (general) => (call) => add(call) ?? general(call))
  replaceKernel('wasm', 'Concat', (general) => (call) => concat(call) ?? general(call))
  replaceKernel('wasm', 'Slice', unlessOfStrings(slice))
  replaceKernel('wasm', 'SplitV', unlessOfStrings(split))
  replaceKernel('wasm', 'Conv2DBackpropInput', inputGradient)
  const missing = { Conv2DBackpropFilter: filterGradient, UnsortedSegmentSum: segmentSum }
  for (const [kernelName, kernelFunc] of Object.entries({ ...missing, ...ownKernels }))
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc })
}

// Other types are refused by the general kernel, activations are its own, and so are biases of another form.
const ofFloats =
  (
    kernelName: string,
    operands: readonly string[],
    own: (call: Call) => tf.TensorInfo | tf.TensorInfo[] | undefined,
  ) =>
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const { activation = 'linear', transposeB } = call.attrs as { activation?: string; transposeB?: boolean }
    const [left, right] = operands.map((name) => call.inputs[name] as tf.Tensor) as [tf.Tensor, tf.Tensor]
    const isPlain = activation === 'linear' && left.dtype === 'float32' && right.dtype === 'float32'
    const bias = call.inputs.bias as tf.Tensor | undefined
    const isBias = !bias || (bias.dtype === 'float32' && bias.size === right.shape.at(transposeB ? -2 : -1))
    const result = isPlain && isBias && left.size * right.size > 0 ? own(call) : undefined
    if (result) return result
    wasmHeapOf(call.backend as object)?.reserve(packingBytes(kernelName, call), kernelName)
    return general(call)
  }

type Call = Parameters<tf.KernelFunc>[0]

// Strings do not lie in the heap.
const unlessOfStrings =
  (kernel: tf.KernelFunc) =>
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) =>
    (call.inputs.x as tf.Tensor).dtype === 'string' ? general(call) : kernel(call)

const segmentSum: tf.KernelFunc = ({ inputs, attrs }) => {
  const { numSegments } = attrs as unknown as { numSegments: number }
  const [x, ids] = [inputs.x as tf.Tensor, inputs.segmentIds as tf.Tensor]
  const [values, rows] = [x.dataSync(), ids.dataSync()]
  const size = values.length / rows.length
  const sums = new Float32Array(numSegments * size)
  rows.forEach((segment, row) => {
    if (segment < 0) return
    for (let i = 0; i < size; i++) sums[segment * size + i]! += values[row * size + i]!
  })
  return tf.tensor(sums, [numSegments, ...x.shape.slice(ids.rank)])
}
