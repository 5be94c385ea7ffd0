import * as tf from '@tensorflow/tfjs'
import { hasMemory } from '../../core/index.js'
import { multiply } from './product.js'
import { type ProgramBackend, remembered } from './program.js'
import { type Convolution, winograd, winogradBytes, winogradIsFaster } from './winograd.js'

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
  return multiply(
    backendOf(call),
    { left: x, right: weight, bias, plus },
    `l${x.shape};${weight.shape}`,
    () => {
      const [channels, n] = weight.shape as [number, number]
      const m = tf.util.sizeFromShape(x.shape) / channels
      return { left: 'rows', right: 'rows', shape: [...x.shape.slice(0, -1), n], m, n, channels }
    },
  )
}

interface MatMulAttributes {
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly activation?: string
}

/** `BatchMatMul` and `_FusedMatMul` of one matrix, or of as many on both sides; nothing for others. */
export function matMul(call: Call): tf.TensorInfo | undefined {
  const { a, b, bias } = call.inputs as Inputs<'a' | 'b'>
  const { transposeA, transposeB, activation = 'linear' } = call.attrs as unknown as MatMulAttributes
  const outer = a.shape.slice(0, -2)
  const n = b.shape.at(transposeB ? -2 : -1)!
  const paired = tf.util.arraysEqual(outer, b.shape.slice(0, -2))
  if (activation !== 'linear' || !isRow(bias, n) || !paired || !isFloat(a, b, bias)) return undefined
  const key = `m${a.shape};${b.shape};${transposeA},${transposeB}`
  return multiply(backendOf(call), { left: a, right: b, bias }, key, () => {
    const [m, channels] = (transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2)) as [number, number]
    return {
      ...{ left: transposeA ? 'turned' : 'rows', right: transposeB ? 'turned' : 'rows' },
      ...{ shape: [...outer, m, n], m, n, channels, heads: tf.util.sizeFromShape(outer) },
    }
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
  if (!isEven(attributes) || !isFloat(x, filter, bias) || !isRow(bias, filter.shape[3]!)) return undefined
  const small = winogradOf(backendOf(call), x.shape, filter.shape, attributes, false)
  if (small) return winograd(backendOf(call), { x, filter, bias, plus }, small, false)
  const key = `c${keyOf(x.shape, filter.shape, attributes)}`
  return multiply(backendOf(call), { left: x, right: filter, bias, plus }, key, () => {
    const info = convInfo(x.shape, filter.shape, attributes)
    const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels, outChannels } = info
    return {
      ...{ left: 'windows', right: 'rows', shape: info.outShape },
      ...{ m: batchSize * outHeight * outWidth, n: outChannels, channels: inChannels },
      sizes: { ...windowsOf(info), height: inHeight, width: inWidth, outHeight, outWidth },
    }
  })
}

/** `Conv2DBackpropInput`: the windows of the gradient that a pixel of the input took part in, by the filter turned. */
export function conv2dInputGradient(call: Call): tf.TensorInfo | undefined {
  const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>
  const attributes = call.attrs as unknown as ConvAttributes & { readonly inputShape: number[] }
  if (!isEven(attributes) || !isFloat(dy, filter)) return undefined
  const small = winogradOf(backendOf(call), attributes.inputShape, filter.shape, attributes, true)
  if (small) return winograd(backendOf(call), { x: dy, filter }, small, true)
  const key = `g${keyOf(attributes.inputShape, filter.shape, attributes)}`
  return multiply(backendOf(call), { left: dy, right: filter }, key, () => {
    const info = convInfo(attributes.inputShape, filter.shape, attributes)
    const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels, outChannels } = info
    return {
      ...{ left: 'windowsBack', right: 'turned', shape: info.inShape },
      ...{ m: batchSize * inHeight * inWidth, n: inChannels, channels: outChannels },
      sizes: {
        ...windowsOf(info),
        height: outHeight,
        width: outWidth,
        outHeight: inHeight,
        outWidth: inWidth,
      },
    }
  })
}

const keyOf = (
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dimRoundingMode }: ConvAttributes,
): string => `${inShape};${filterShape};${strides};${pad};${dimRoundingMode}`

// One number for each column; tfjs takes whatever can be broadcast.
const isRow = (bias: tf.TensorInfo | undefined, n: number): boolean =>
  !bias || (bias.shape.at(-1) === n && tf.util.sizeFromShape(bias.shape) === n)

const convolutions = remembered<Convolution | null>(4096)

// As a convolution, or the gradient of one by its input, that is faster by Winograd's algorithm and has the memory for it.
function winogradOf(
  backend: ProgramBackend,
  inShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvAttributes,
  back: boolean,
): Convolution | null {
  if (filterShape[0] !== 3 || filterShape[1] !== 3) return null
  const found = fasterOf(backend, inShape, filterShape, attributes, back)
  return found && hasMemory(winogradBytes(found)) ? found : null
}

function fasterOf(
  backend: ProgramBackend,
  inShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvAttributes,
  back: boolean,
): Convolution | null {
  const key = `${back}${keyOf(inShape, filterShape, attributes)}`
  return convolutions(backend.device, key, () => {
    const info = convInfo(inShape, filterShape, attributes)
    const {
      batchSize: batch,
      inHeight,
      inWidth,
      outHeight,
      outWidth,
      inChannels,
      outChannels,
      padInfo,
    } = info
    const forward = {
      ...{ batch, height: inHeight, width: inWidth, channels: inChannels },
      ...{ outHeight, outWidth, outChannels, top: padInfo.top, side: padInfo.left },
    }
    const backward = {
      ...{ batch, height: outHeight, width: outWidth, channels: outChannels },
      ...{ outHeight: inHeight, outWidth: inWidth, outChannels: inChannels },
      ...{ top: 2 - padInfo.top, side: 2 - padInfo.left },
    }
    const of = back ? backward : forward
    return info.strideHeight === 1 && winogradIsFaster(backend, of) ? of : null
  })
}

function isEven({
  strides,
  dilations = 1,
  dataFormat = 'NHWC',
  activation = 'linear',
}: ConvAttributes): boolean {
  const same = (sides: number | [number, number]) => typeof sides === 'number' || sides[0] === sides[1]
  return (
    dataFormat === 'NHWC' &&
    activation === 'linear' &&
    same(strides) &&
    [dilations].flat().every((d) => d === 1)
  )
}

const convInfo = (
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dimRoundingMode }: ConvAttributes,
): tf.backend_util.Conv2DInfo =>
  tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    1,
    pad,
    dimRoundingMode,
  )

const windowsOf = (info: tf.backend_util.Conv2DInfo) => ({
  kernelHeight: info.filterHeight,
  kernelWidth: info.filterWidth,
  stride: info.strideHeight,
  top: info.padInfo.top,
  side: info.padInfo.left,
})
