import * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { withPacked } from './packed.js'
import { type At, simdOf } from './simd.js'

/**
 * `Conv2D`, `FusedConv2D` where there is but a bias to add, and this library's `Convolve`, which may add a map; nothing for strides that
 * differ and dilated kernels.
 */
export function conv2d({ inputs, attrs, backend: host }: Call): tf.TensorInfo | undefined {
  const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const backend = host as WasmKernelBackend
  const { strides, pad, dilations, dimRoundingMode } = attrs as unknown as ConvAttributes
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filter.shape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
  )
  if (info.strideHeight !== info.strideWidth || info.dilationHeight * info.dilationWidth !== 1)
    return undefined
  const out = backend.makeOutput(info.outShape, 'float32')
  const [from, bias, plus, to] = [x, inputs.bias, inputs.plus, out].map((t) =>
    addressOf(backend, t),
  ) as Places
  const { top, left } = info.padInfo
  const sides = { stride: info.strideHeight, top, left, outHeight: info.outHeight, outWidth: info.outWidth }
  convolve(backend, x.shape, filter, sides, { x: from, bias, biasSample: 0, plus, y: to })
  return out
}

type Places = [x: At, bias: At, plus: At, y: At]

/** How a convolution moves, and what comes of it. */
interface Sides {
  readonly stride: number
  /** Zeros above the map and left of it. */
  readonly top: number
  readonly left: number
  readonly outHeight: number
  readonly outWidth: number
}

/** Where numbers lie that are multiplied, added, and written. */
export interface Operands {
  readonly x: At
  /** A number per channel of the result, or none. */
  readonly bias: At
  /** Bytes from one sample's bias to the next's; 0 if all have the same. */
  readonly biasSample: number
  /** Of the result's shape, or none. */
  readonly plus: At
  readonly y: At
}

/** A convolution of what lies somewhere in the heap. */
export function convolve(
  backend: WasmKernelBackend,
  [batch, height, width, channels]: readonly [number, number, number, number],
  filter: tf.TensorInfo,
  { stride, top, left, outHeight, outWidth }: Sides,
  { x, bias, biasSample, plus, y }: Operands,
): void {
  const [filterHeight, filterWidth, , columns] = filter.shape as Shape4D
  const matrix = { matrices: 1, depth: filterHeight * filterWidth * channels, columns, turned: false }
  withPacked(backend, filter, matrix, (strips) =>
    simdOf(backend).convolve(
      ...([x, batch, height, width, channels, filterHeight, filterWidth, stride, top, left] as const),
      ...([outHeight, outWidth, columns, strips, 0, bias, biasSample, plus, y] as const),
    ),
  )
}

/** `Conv2DBackpropInput`: at stride 1 it is a convolution by the turned kernel. */
export const inputGradient =
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
  readonly dilations?: number | [number, number]
  readonly dimRoundingMode: 'floor' | 'round' | 'ceil'
}

/** `Conv2DBackpropFilter`: one product per tap of the kernel. */
export const filterGradient: tf.KernelFunc = ({ inputs, attrs }) => {
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

type Call = Parameters<tf.KernelFunc>[0]
