import * as tf from '@tensorflow/tfjs'
import { multiply } from './product.js'
import type { ProgramBackend } from './program.js'

type Call = Parameters<tf.KernelFunc>[0]
type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>> & {
  readonly bias?: tf.TensorInfo
  readonly plus?: tf.TensorInfo
}

const backendOf = ({ backend }: Call): ProgramBackend => backend as ProgramBackend
const isFloat = (...tensors: readonly (tf.TensorInfo | undefined)[]): boolean =>
  tensors.every((t) => t === undefined || (t.dtype === 'float32' && tf.util.sizeFromShape(t.shape) > 0))

/** `x W (+ b) (+ plus)` over the last axis of `x`. */
export function linear(call: Call): tf.TensorInfo {
  const { x, weight, bias, plus } = call.inputs as Inputs<'x' | 'weight'>
  const [channels, n] = weight.shape as [number, number]
  const m = tf.util.sizeFromShape(x.shape) / channels
  const sides = { left: x, leftAs: 'rows', right: weight, rightAs: 'rows' } as const
  return multiply(backendOf(call), {
    ...sides,
    bias,
    plus,
    shape: [...x.shape.slice(0, -1), n],
    m,
    n,
    channels,
  })
}

/** `BatchMatMul` and `_FusedMatMul` of one matrix, or of as many on both sides; nothing for others. */
export function matMul(call: Call): tf.TensorInfo | undefined {
  const { a, b, bias, preluActivationWeights } = call.inputs as Inputs<'a' | 'b'> & {
    readonly preluActivationWeights?: tf.TensorInfo
  }
  const { transposeA, transposeB, activation } = call.attrs as unknown as {
    readonly transposeA: boolean
    readonly transposeB: boolean
    readonly activation?: string
  }
  const [outer, ofB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const [m, channels] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2)
  const n = b.shape.at(transposeB ? -2 : -1)!
  const plain = (activation ?? 'linear') === 'linear' && !preluActivationWeights
  const perColumn = !bias || tf.util.sizeFromShape(bias.shape) === n
  if (!plain || !perColumn || !isFloat(a, b, bias) || !tf.util.arraysEqual(outer, ofB)) return undefined
  return multiply(backendOf(call), {
    ...{ left: a, leftAs: transposeA ? 'turned' : 'rows' },
    ...{ right: b, rightAs: transposeB ? 'turned' : 'rows' },
    ...{ bias, shape: [...outer, m!, n], m: m!, n, channels: channels! },
    heads: tf.util.sizeFromShape(outer),
  })
}

interface ConvAttributes {
  readonly strides: number | [number, number]
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  readonly dataFormat?: 'NHWC' | 'NCHW'
  readonly dilations?: number | [number, number]
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly activation?: string
}

/** `Conv2D`, `FusedConv2D` without an activation and `Convolve`; nothing for what steps or spreads unevenly. */
export function conv2d(call: Call): tf.TensorInfo | undefined {
  const { x, filter, bias, plus } = call.inputs as Inputs<'x' | 'filter'>
  const attributes = call.attrs as unknown as ConvAttributes
  const info = convInfo(x.shape, filter.shape, attributes)
  if (!info || (attributes.activation ?? 'linear') !== 'linear' || !isFloat(x, filter, bias)) return undefined
  return multiply(backendOf(call), {
    ...{ left: x, leftAs: 'windows', right: filter, rightAs: 'rows', bias, plus },
    ...{ shape: info.outShape, m: info.batchSize * info.outHeight * info.outWidth },
    ...{ n: info.outChannels, channels: info.inChannels },
    sizes: {
      ...windowsOf(info),
      ...{ height: info.inHeight, width: info.inWidth, outHeight: info.outHeight, outWidth: info.outWidth },
    },
  })
}

/** `Conv2DBackpropInput`: the windows of the gradient that a pixel of the input took part in, by the filter turned. */
export function conv2dInputGradient(call: Call): tf.TensorInfo | undefined {
  const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>
  const attributes = call.attrs as unknown as ConvAttributes & { readonly inputShape: number[] }
  const info = convInfo(attributes.inputShape, filter.shape, attributes)
  if (!info || !isFloat(dy, filter)) return undefined
  return multiply(backendOf(call), {
    ...{ left: dy, leftAs: 'windowsBack', right: filter, rightAs: 'turned' },
    ...{ shape: info.inShape, m: info.batchSize * info.inHeight * info.inWidth },
    ...{ n: info.inChannels, channels: info.outChannels },
    sizes: {
      ...windowsOf(info),
      ...{ height: info.outHeight, width: info.outWidth, outHeight: info.inHeight, outWidth: info.inWidth },
    },
  })
}

function convInfo(
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat = 'NHWC', dilations = 1, dimRoundingMode }: ConvAttributes,
): tf.backend_util.Conv2DInfo | undefined {
  if (dataFormat !== 'NHWC') return undefined
  const info = tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
  )
  const even = info.strideHeight === info.strideWidth && info.dilationHeight * info.dilationWidth === 1
  return even ? info : undefined
}

const windowsOf = (info: tf.backend_util.Conv2DInfo) => ({
  kernelHeight: info.filterHeight,
  kernelWidth: info.filterWidth,
  stride: info.strideHeight,
  top: info.padInfo.top,
  side: info.padInfo.left,
})
