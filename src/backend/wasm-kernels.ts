import * as tf from '@tensorflow/tfjs'
import { tensorOf } from './tensor-of.js'

/**
 * Gives the wasm backend the kernels that training and attention need and that it lacks, or has only as scalar
 * loops. Idempotent; other backends are left alone.
 *
 * - `BatchMatMul`: only a 2-D, untransposed product takes XNNPACK's path there (10 to 40 times faster), so
 *   transposes are written out and batches are taken one by one;
 * - `Conv2DBackpropInput`: at stride 1 it is a convolution by the turned kernel, which XNNPACK has;
 * - `Conv2DBackpropFilter`: one product per tap of the kernel;
 * - `UnsortedSegmentSum`: the gradient of `tf.gather`.
 */
export function installWasmKernels(): void {
  if (product2d) return
  const fast = tf.getKernel('BatchMatMul', 'wasm')
  product2d = fast.kernelFunc
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel({ ...fast, kernelFunc: batchMatMul })
  const general = tf.getKernel('Conv2DBackpropInput', 'wasm')
  tf.unregisterKernel('Conv2DBackpropInput', 'wasm')
  tf.registerKernel({ ...general, kernelFunc: inputGradient(general.kernelFunc) })
  tf.registerKernel({ kernelName: 'Conv2DBackpropFilter', backendName: 'wasm', kernelFunc: filterGradient })
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: segmentSum })
}

type Kernel = tf.KernelConfig['kernelFunc']

let product2d: Kernel | undefined

const batchMatMul: Kernel = ({ inputs, attrs, backend }) => {
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean }
  const plain = { transposeA: false, transposeB: false }
  const multiply = (a: tf.Tensor, b: tf.Tensor) =>
    tensorOf(product2d!({ inputs: { a, b }, attrs: plain, backend }))
  return tf.tidy(() => {
    const [a, b] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor]
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    const [left, right] = [matrices(a, outer, transposeA), matrices(b, outer, transposeB)]
    const batch = Math.max(left.shape[0], right.shape[0])
    const one = (t: tf.Tensor3D, i: number) =>
      t.shape[0] === 1 ? t : tf.slice(t, [i, 0, 0], [1, t.shape[1], t.shape[2]])
    const products = Array.from({ length: batch }, (_, i) => multiply(one(left, i), one(right, i)))
    const joined = products.length === 1 ? products[0]! : tf.concat(products)
    return tf.reshape(joined, [...outer, left.shape[1], right.shape[2]])
  })
}

// One matrix per outer index, or a single one for all of them.
function matrices(t: tf.Tensor, outer: readonly number[], transpose: boolean): tf.Tensor3D {
  const [rows, columns] = t.shape.slice(-2) as [number, number]
  const own = t.shape.slice(0, -2)
  const shared = own.every((n) => n === 1)
  const whole = shared || own.join() === outer.join() ? t : tf.broadcastTo(t, [...outer, rows, columns])
  const stacked = tf.reshape(whole, [-1, rows, columns]) as tf.Tensor3D
  return transpose ? tf.transpose(stacked, [0, 2, 1]) : stacked
}

const inputGradient =
  (general: Kernel): Kernel =>
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

const filterGradient: Kernel = ({ inputs, attrs }) => {
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

const segmentSum: Kernel = ({ inputs, attrs }) => {
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
