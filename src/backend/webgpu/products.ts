import * as tf from '@tensorflow/tfjs'
import { hasMemory } from '../../core/index.js'
import { multiply, type Operands, type Product } from './product.js'
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
  return convolve(call, { x, filter, bias, plus }, x.shape, false)
}

/** `Conv2DBackpropInput`: the windows of the gradient that a pixel of the input took part in, by the filter turned. */
export function conv2dInputGradient(call: Call): tf.TensorInfo | undefined {
  const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>
  const { inputShape } = call.attrs as unknown as { readonly inputShape: readonly number[] }
  return convolve(call, { x: dy, filter }, inputShape, true)
}

function convolve(
  call: Call,
  {
    x,
    filter,
    bias,
    plus,
  }: Readonly<Record<'x' | 'filter', tf.TensorInfo>> & Pick<Operands, 'bias' | 'plus'>,
  inShape: readonly number[],
  back: boolean,
): tf.TensorInfo | undefined {
  const [backend, attributes] = [backendOf(call), call.attrs as unknown as ConvAttributes]
  if (!isEven(attributes) || !isFloat(x, filter, bias) || !isRow(bias, filter.shape[3]!)) return undefined
  const { strides, pad, dimRoundingMode } = attributes
  const key = `${back ? 'g' : 'c'}${inShape};${filter.shape};${strides};${pad};${dimRoundingMode}`
  const { quick, product } = waysOf(backend.device, key, () =>
    convolutionWays(backend, inShape, filter.shape, attributes, back),
  )
  if (quick && hasMemory(winogradBytes(quick)))
    return winograd(backend, { x, filter, bias, plus }, quick, back)
  return multiply(backend, { left: x, right: filter, bias, plus }, key, () => product)
}

/** The ways to convolve. */
interface Ways {
  /** By Winograd's algorithm, where it is faster. */
  readonly quick: Convolution | undefined
  readonly product: Product
}

const waysOf = remembered<Ways>(4096)

// Backwards the result's gradient is what is read, and the input what is made.
function convolutionWays(
  backend: ProgramBackend,
  inShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvAttributes,
  back: boolean,
): Ways {
  const info = convInfo(inShape, filterShape, attributes)
  const { batchSize: batch, strideHeight: stride, filterHeight, filterWidth } = info
  const { top, left: side } = info.padInfo
  const shapes = back ? [info.outShape, info.inShape] : [info.inShape, info.outShape]
  const [, height, width, channels] = shapes[0]!
  const [, outHeight, outWidth, outChannels] = shapes[1]!
  const sides = { height: height!, width: width!, outHeight: outHeight!, outWidth: outWidth! }
  const pads = back ? { top: 2 - top, side: 2 - side } : { top, side }
  const convolution = { batch, channels: channels!, outChannels: outChannels!, ...sides, ...pads }
  const isSmall = filterHeight === 3 && filterWidth === 3 && stride === 1
  return {
    quick: isSmall && winogradIsFaster(backend, convolution) ? convolution : undefined,
    product: {
      ...{ left: back ? 'windowsBack' : 'windows', right: back ? 'turned' : 'rows', shape: shapes[1]! },
      ...{ m: batch * outHeight! * outWidth!, n: outChannels!, channels: channels! },
      sizes: { kernelHeight: filterHeight, kernelWidth: filterWidth, stride, top, side, ...sides },
    },
  }
}

// One number for each column; tfjs takes whatever can be broadcast.
const isRow = (bias: tf.TensorInfo | undefined, n: number): boolean =>
  !bias || (bias.shape.at(-1) === n && tf.util.sizeFromShape(bias.shape) === n)

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
