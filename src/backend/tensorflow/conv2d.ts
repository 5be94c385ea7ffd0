import * as tf from '@tensorflow/tfjs'
import { tensorOf } from '../tensor-of.js'
import { float, list, matrixProduct, type TensorflowBackend, text } from './operations.js'

/*
 * A convolution as the product of `[pixels, taps · channels]` patches and the `[taps · channels, out]` kernel.
 *
 * oneDNN turns the kernel into a layout of its own at every call. On a small map with many channels (Stable Diffusion's
 * 8 × 8 × 1280) that takes four times as long as the arithmetic; the product reads the kernel as it is stored.
 */

type Call = Parameters<tf.KernelFunc>[0]
type Shape4D = [number, number, number, number]

interface ConvAttributes {
  readonly strides: number | [number, number]
  readonly pad: number | 'same' | 'valid' | tf.backend_util.ExplicitPadding
  readonly dilations?: number | [number, number]
  readonly dataFormat?: string
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** `Conv2D`, or nothing where oneDNN's own is the faster. */
export function conv2dAsProduct(
  backend: TensorflowBackend,
  { inputs, attrs }: Call,
): tf.TensorInfo | undefined {
  const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const info = convInfo(x.shape, filter.shape, attrs as unknown as ConvAttributes)
  if (!info || !forwardIsFaster(info)) return undefined
  return tf.tidy(() => {
    const kernel = tf.reshape(filter, [-1, info.outChannels]) as tf.Tensor2D
    const patches = tf.reshape(isPointwise(info) ? x : extractPatches(backend, x, info), [
      -1,
      kernel.shape[0],
    ])
    return tf.reshape(matrixProduct(backend, patches as tf.Tensor2D, kernel), info.outShape)
  })
}

/**
 * `Conv2D` by a few output channels at a time, or nothing where that is not the faster.
 *
 * Pixels of 256 or 512 channels lie a power of two apart, so that those oneDNN works on together compete for the same
 * lines of the cache; with a slice of the kernel that stays there it reaches 350 GFLOP/s where the whole gets 200
 * (the autoencoder's 512 to 512 channels on two cores).
 */
export function conv2dInSlices(
  convolve: tf.KernelFunc,
  { inputs, attrs, backend }: Call,
): tf.TensorInfo | undefined {
  const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const info = convInfo(x.shape, filter.shape, attrs as unknown as ConvAttributes)
  if (!info || isPointwise(info) || !isPowerOfTwo(info.inChannels) || info.inChannels < 256) return undefined
  const width = Math.max(64, 2 ** 15 / info.inChannels)
  if (info.outChannels <= width || info.outChannels % width !== 0) return undefined
  return tf.tidy(() => {
    const slices = tf.split(filter, info.outChannels / width, 3)
    const parts = slices.map((slice) =>
      tensorOf(convolve({ inputs: { x, filter: slice }, attrs: attrs!, backend })),
    )
    return tf.concat(parts, 3)
  })
}

const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0

/**
 * `Conv2D`, or `FusedConv2D` without an activation, by Winograd's algorithm (`native/tensorflow/winograd.cc`), which makes 16
 * multiplications of 36; or nothing where turning the kernel for it takes longer than it saves.
 */
export function conv2dByWinograd(
  winograd: tf.KernelFunc,
  { inputs, attrs, backend }: Call,
): tf.TensorInfo | undefined {
  const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const info = convInfo(x.shape, filter.shape, attrs as unknown as ConvAttributes)
  if (!info || !winogradIsFaster(info)) return undefined
  const { top, bottom, left, right } = info.padInfo
  const how = { pads: [top, bottom, left, right], backwards: false }
  return withBias(inputs.bias, (bias) =>
    winograd({ inputs: { x, filter, bias }, attrs: how as never, backend }),
  )
}

/** `Conv2DBackpropInput` by the same algorithm: a convolution by the kernel turned. */
export function inputGradientByWinograd(
  winograd: tf.KernelFunc,
  { inputs, attrs, backend }: Call,
): tf.TensorInfo | undefined {
  const [dy, filter] = [inputs.dy as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const attributes = attrs as unknown as ConvAttributes & { readonly inputShape: Shape4D }
  const info = convInfo(attributes.inputShape, filter.shape, attributes)
  if (!info || !winogradIsFaster(info)) return undefined
  const { top, bottom, left, right } = info.padInfo
  const how = { pads: [2 - top, 2 - bottom, 2 - left, 2 - right], backwards: true }
  return withBias(undefined, (bias) =>
    winograd({ inputs: { x: dy, filter, bias }, attrs: how as never, backend }),
  )
}

// The kernel takes an empty bias for none.
function withBias(
  bias: tf.TensorInfo | undefined,
  run: (bias: tf.TensorInfo) => tf.TensorInfo | tf.TensorInfo[],
) {
  if (bias) return only(run(bias))
  const none = tf.tensor1d([])
  const y = only(run(none))
  none.dispose()
  return y
}

const only = (results: tf.TensorInfo | tf.TensorInfo[]): tf.TensorInfo => [results].flat()[0]!

// Measured: the kernel is turned in the time of some 500 pixels, and of few channels the tiles take longer than the products.
function winogradIsFaster(info: tf.backend_util.Conv2DInfo): boolean {
  const { filterHeight, filterWidth, strideHeight, inChannels, outChannels } = info
  return (
    filterHeight === 3 &&
    filterWidth === 3 &&
    strideHeight === 1 &&
    inChannels % 16 === 0 &&
    outChannels % 16 === 0 &&
    Math.min(inChannels, outChannels) >= 32 &&
    pixelsOf(info) >= 512
  )
}

/** `FusedConv2D` without an activation where every pixel is for itself: by this library's own product with a bias. */
export function conv2dOfPixels(
  linear: tf.KernelFunc,
  { inputs, attrs, backend }: Call,
): tf.TensorInfo | undefined {
  const { x, filter, bias } = inputs as { x: tf.Tensor4D; filter: tf.Tensor4D; bias: tf.Tensor1D }
  const info = convInfo(x.shape, filter.shape, attrs as unknown as ConvAttributes)
  if (!info || !isPointwise(info)) return undefined
  return only(linear({ inputs: { x, weight: filter, bias }, attrs: {}, backend }))
}

/** `FusedConv2D` without an activation as oneDNN's convolution with a bias, or nothing where it takes no such pads. */
export function biasedConv2d(backend: TensorflowBackend, { inputs, attrs }: Call): tf.TensorInfo | undefined {
  const { x, filter, bias } = inputs as { x: tf.Tensor4D; filter: tf.Tensor4D; bias: tf.Tensor1D }
  const info = convInfo(x.shape, filter.shape, attrs as unknown as ConvAttributes)
  if (!info) return undefined
  const attributes = [
    float(backend),
    list(backend, 'strides', [1, info.strideHeight, info.strideWidth, 1]),
    list(backend, 'dilations', [1, 1, 1, 1]),
    text(backend, 'padding', info.padInfo.type),
    text(backend, 'data_format', 'NHWC'),
    text(backend, '_kernel', 'MklNameChangeOp'),
  ]
  return backend.executeSingleOutput('_MklNativeConv2DWithBias', attributes, [x, filter, bias])
}

/** `Conv2DBackpropInput`, or nothing where oneDNN's own is the faster. */
export function inputGradientAsProduct(
  backend: TensorflowBackend,
  { inputs, attrs }: Call,
): tf.TensorInfo | undefined {
  const [dy, filter] = [inputs.dy as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  const attributes = attrs as unknown as ConvAttributes & { readonly inputShape: Shape4D }
  const info = convInfo(attributes.inputShape, filter.shape, attributes)
  if (!info || !backwardIsFaster(info)) return undefined
  return tf.tidy(() => {
    const kernel = tf.reshape(filter, [-1, info.outChannels]) as tf.Tensor2D
    const rows = tf.reshape(dy, [-1, info.outChannels]) as tf.Tensor2D
    const patches = matrixProduct(backend, rows, kernel, { transposeB: true })
    return isPointwise(info) ? tf.reshape(patches, info.inShape) : foldPatches(backend, patches, info)
  })
}

// The ways of one convolution are asked one after the other.
let last:
  | {
      readonly inShape: Shape4D
      readonly filterShape: Shape4D
      readonly attributes: ConvAttributes
      readonly info: tf.backend_util.Conv2DInfo | undefined
    }
  | undefined

// What all of them need to know, or nothing where the product would need more than patches of the plain kind.
function convInfo(
  inShape: Shape4D,
  filterShape: Shape4D,
  attributes: ConvAttributes,
): tf.backend_util.Conv2DInfo | undefined {
  const { strides, pad, dilations = 1, dataFormat = 'NHWC', dimRoundingMode } = attributes
  if (last?.attributes === attributes && last.inShape === inShape && last.filterShape === filterShape)
    return last.info
  const info = tf.backend_util.computeConv2DInfo(
    inShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  )
  const plain =
    dataFormat === 'NHWC' &&
    info.dilationHeight * info.dilationWidth === 1 &&
    info.strideHeight === info.strideWidth &&
    (info.padInfo.type === 'SAME' || info.padInfo.type === 'VALID')
  last = { inShape, filterShape, attributes, info: plain ? info : undefined }
  return last.info
}

// Measured on Stable Diffusion's convolutions: turning a kernel takes longer than writing the patches out where the map
// has fewer pixels than about twice the output channels. With a single tap there are no patches to write out at all.
function forwardIsFaster(info: tf.backend_util.Conv2DInfo): boolean {
  return isPointwise(info) || pixelsOf(info) <= 2 * info.outChannels
}

// Folding the patches back takes longer than extracting them, and oneDNN turns the kernel faster in this direction.
function backwardIsFaster(info: tf.backend_util.Conv2DInfo): boolean {
  return info.strideHeight === 1 && 2 * pixelsOf(info) <= info.outChannels
}

function pixelsOf({ batchSize, outHeight, outWidth }: tf.backend_util.Conv2DInfo): number {
  return batchSize * outHeight * outWidth
}

function isPointwise({ filterHeight, filterWidth, strideHeight }: tf.backend_util.Conv2DInfo): boolean {
  return filterHeight * filterWidth * strideHeight === 1
}

function extractPatches(
  backend: TensorflowBackend,
  x: tf.Tensor4D,
  { filterHeight, filterWidth, strideHeight, padInfo }: tf.backend_util.Conv2DInfo,
): tf.Tensor {
  const attributes = [
    float(backend),
    list(backend, 'ksizes', [1, filterHeight, filterWidth, 1]),
    list(backend, 'strides', [1, strideHeight, strideHeight, 1]),
    list(backend, 'rates', [1, 1, 1, 1]),
    text(backend, 'padding', padInfo.type),
  ]
  return backend.executeSingleOutput('ExtractImagePatches', attributes, [x])
}

// The transpose of extracting at stride 1: every tap's share goes back to the pixel that it came from. On a map this small
// a product with a matrix of zeros and ones is quicker than padding every tap to its place.
function foldPatches(
  backend: TensorflowBackend,
  patches: tf.Tensor2D,
  info: tf.backend_util.Conv2DInfo,
): tf.Tensor {
  const {
    batchSize,
    inChannels,
    inHeight,
    inWidth,
    outHeight,
    outWidth,
    filterHeight,
    filterWidth,
    padInfo,
  } = info
  const taps = filterHeight * filterWidth
  const sources = outHeight * outWidth * taps
  const places = new Float32Array(inHeight * inWidth * sources)
  for (let source = 0; source < sources; source++) {
    const [pixel, tap] = [Math.floor(source / taps), source % taps]
    const row = Math.floor(pixel / outWidth) + Math.floor(tap / filterWidth) - padInfo.top
    const column = (pixel % outWidth) + (tap % filterWidth) - padInfo.left
    const isInside = row >= 0 && row < inHeight && column >= 0 && column < inWidth
    if (isInside) places[(row * inWidth + column) * sources + source] = 1
  }
  const matrix = tf.tensor2d(places, [inHeight * inWidth, sources])
  const pictures = tf.split(tf.reshape(patches, [batchSize * sources, inChannels]), batchSize)
  const folded = pictures.map((picture) => matrixProduct(backend, matrix, picture as tf.Tensor2D))
  return tf.reshape(folded.length === 1 ? folded[0]! : tf.concat(folded), info.inShape)
}
