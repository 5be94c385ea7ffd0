import * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { withPacked } from './packed.js'
import { simdOf } from './simd.js'

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
  const { batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth, outChannels } = info
  if (info.strideHeight !== info.strideWidth || info.dilationHeight * info.dilationWidth !== 1)
    return undefined
  const out = backend.makeOutput(info.outShape, 'float32')
  const matrix = {
    matrices: 1,
    depth: filterHeight * filterWidth * inChannels,
    columns: outChannels,
    turned: false,
  }
  const terms = [addressOf(backend, inputs.bias), addressOf(backend, inputs.plus)] as const
  withPacked(backend, filter, matrix, (strips) =>
    simdOf(backend).convolve(
      ...([addressOf(backend, x), batchSize, inHeight, inWidth, inChannels] as const),
      ...([filterHeight, filterWidth, info.strideHeight, info.padInfo.top, info.padInfo.left] as const),
      ...([
        info.outHeight,
        info.outWidth,
        outChannels,
        strips,
        0,
        ...terms,
        addressOf(backend, out),
      ] as const),
    ),
  )
  return out
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
