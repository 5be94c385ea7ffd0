import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from '../replace-kernel.js'
import { groupNorm, layerNorm } from './norms.js'
import { batchMatMul } from './products.js'
import { slice, split } from './slice.js'

/**
 * Gives the wasm backend the kernels that training and attention need and that it lacks, has only as scalar loops, or
 * has with a copy too many. Idempotent; other backends are left alone.
 *
 * - `BatchMatMul` and `_FusedMatMul`: matrix by matrix, see `products.ts`; `Slice` and `SplitV`: without copying the whole first;
 * - `Conv2DBackpropInput`: at stride 1 it is a convolution by the turned kernel, which XNNPACK has;
 * - `Conv2DBackpropFilter`: one product per tap of the kernel;
 * - `UnsortedSegmentSum`: the gradient of `tf.gather`;
 * - `GroupNorm` and `LayerNorm`: this library's own, see `norms.ts`.
 */
export function installWasmKernels(): void {
  if (tf.getKernel('GroupNorm', 'wasm')) return
  replaceKernel('wasm', 'BatchMatMul', ofFloats(batchMatMul))
  replaceKernel('wasm', '_FusedMatMul', ofFloats(batchMatMul))
  replaceKernel('wasm', 'Slice', unlessOfStrings(slice))
  replaceKernel('wasm', 'SplitV', unlessOfStrings(split))
  replaceKernel('wasm', 'Conv2DBackpropInput', inputGradient)
  const missing = { Conv2DBackpropFilter: filterGradient, UnsortedSegmentSum: segmentSum }
  const own = { GroupNorm: groupNorm, LayerNorm: layerNorm }
  for (const [kernelName, kernelFunc] of Object.entries({ ...missing, ...own }))
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc })
}

// Other types are refused by the general kernel, and activations are its own.
const ofFloats =
  (product: tf.KernelFunc) =>
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const { activation = 'linear' } = call.attrs as { activation?: string }
    const isPlain =
      activation === 'linear' && [call.inputs.a, call.inputs.b].every((t) => t?.dtype === 'float32')
    return isPlain ? product(call) : general(call)
  }

// Strings do not lie in the heap.
const unlessOfStrings =
  (kernel: tf.KernelFunc) =>
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) =>
    (call.inputs.x as tf.Tensor).dtype === 'string' ? general(call) : kernel(call)

const inputGradient =
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const { strides, pad, inputShape } = call.attrs as unknown as ConvAttributes & { inputShape: Shape4D }
    const [dy, filter] = [call.inputs.dy as tf.Tensor4D, call.inputs.filter as tf.Tensor4D]
    const info = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, strides, 1, pad)
    if (info.strideHeight !== 1 || info.strideWidth !== 1) return general(call)
    const { top, bottom, left, right } = info.padInfo
    const [height, width] = [filter.shape[0] - 1, filter.shape[1] - 1]
    return tf.tidy(() => {
      const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
      const padded = tf.pad(dy, [
        [0, 0],
        [height - top, height - bottom],
        [width - left, width - right],
        [0, 0],
      ])
      return tf.conv2d(padded, turned, 1, 'valid')
    })
  }

type Shape4D = [number, number, number, number]

interface ConvAttributes {
  readonly strides: number | [number, number]
  readonly pad: number | 'same' | 'valid' | tf.backend_util.ExplicitPadding
  readonly dimRoundingMode: 'floor' | 'round' | 'ceil'
}

const filterGradient: tf.KernelFunc = ({ inputs, attrs }) => {
  const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as ConvAttributes & {
    filterShape: Shape4D
  }
  const [x, dy] = [inputs.x as tf.Tensor4D, inputs.dy as tf.Tensor4D]
  const [kernelHeight, kernelWidth, channels, out] = filterShape
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode)
  const { top, bottom, left, right } = info.padInfo
  const [batch, height, width] = dy.shape
  return tf.tidy(() => {
    const padded = tf.pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ])
    // [channels, pixels] once; each tap is then a strided window of it times dy.
    const dyRows = tf.reshape(dy, [batch * height * width, out])
    const taps: tf.Tensor[] = []
    for (let i = 0; i < kernelHeight; i++) {
      for (let j = 0; j < kernelWidth; j++) {
        const window = tf.stridedSlice(
          padded,
          [0, i, j, 0],
          [batch, i + (height - 1) * info.strideHeight + 1, j + (width - 1) * info.strideWidth + 1, channels],
          [1, info.strideHeight, info.strideWidth, 1],
        )
        const columns = tf.transpose(tf.reshape(window, [batch * height * width, channels]))
        taps.push(tf.matMul(columns, dyRows))
      }
    }
    return tf.reshape(tf.concat(taps), filterShape)
  })
}

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
