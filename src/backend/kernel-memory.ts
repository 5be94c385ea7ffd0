import * as tf from '@tensorflow/tfjs'
import type { OwnKernel } from '../core/index.js'

type Call = Parameters<tf.KernelFunc>[0]

/** The bytes of a kernel's result, from its arguments alone; 0 where they do not tell it cheaply. */
export function outputBytes(kernelName: string, { inputs, attrs }: Call): number {
  switch (kernelName as OwnKernel | 'BatchMatMul' | 'Conv2D' | 'Fill' | 'FusedConv2D' | '_FusedMatMul') {
    case 'Conv2D':
    case 'FusedConv2D':
      return bytesOf(convInfo(inputs, attrs as unknown as Attributes).outShape)
    case 'BatchMatMul':
    case '_FusedMatMul':
      return bytesOf(productSides(inputs, attrs as unknown as Attributes).shape)
    case 'Attention':
    case 'AttentionGrad':
      return bytesOf(inputs.q!.shape)
    case 'Geglu':
    case 'GegluGrad':
    case 'Gelu':
    case 'GeluGrad':
    case 'GroupNorm':
    case 'GroupNormGrad':
    case 'GroupNormSilu':
    case 'LayerNorm':
    case 'LayerNormGrad':
    case 'Swish':
    case 'SwishGrad':
      return bytesOf(inputs.x!.shape)
    case 'ReadParameter':
    case 'TorchNormal':
    case 'Fill':
      return bytesOf((attrs as unknown as { shape: number[] }).shape)
    default:
      return 0
  }
}

// What any kernel of tfjs's may take for lists of shapes and the like.
const small = 1 << 20

/** What C++ may allocate on wasm where no caller can see it, in bytes; products and convolutions see to it themselves. */
export const insideBytes = (kernelName: string): number => (inSight.has(kernelName) ? 0 : small)

/**
 * What XNNPACK allocates for a product or a convolution, in bytes: it packs the second operand or the filter into a copy of its
 * own, padded to whole blocks, and keeps, for a convolution, one pointer per tap of every pixel.
 */
export function packingBytes(kernelName: string, { inputs, attrs }: Call): number {
  const attributes = attrs as unknown as Attributes
  if (/MatMul$/.test(kernelName)) {
    const { depth, shape } = productSides(inputs, attributes)
    return small + bytesOf([depth + 1, round(shape.at(-1)!)])
  }
  const info = convInfo(inputs, attributes)
  const pointers = bytesOf([info.outHeight, info.outWidth, info.filterHeight, info.filterWidth])
  const packed = bytesOf([info.filterHeight, info.filterWidth, info.inChannels, round(info.outChannels)])
  return small + packed + pointers + (kernelName === 'FusedConv2D' ? bytesOf(info.outShape) : 0)
}

const inSight: ReadonlySet<string> = new Set<
  | OwnKernel
  | 'Add'
  | 'Concat'
  | 'Fill'
  | 'Reshape'
  | 'Slice'
  | 'SplitV'
  | `${'' | 'Fused'}Conv2D`
  | 'BatchMatMul'
  | '_FusedMatMul'
>([
  ...([
    'Attention',
    'AttentionGrad',
    'Geglu',
    'GegluGrad',
    'Gelu',
    'GeluGrad',
    'GroupNorm',
    'GroupNormGrad',
    'GroupNormSilu',
  ] as const),
  ...(['Convolve', 'LayerNorm', 'LayerNormGrad', 'Linear', 'LinearPlus', 'Swish', 'SwishGrad'] as const),
  ...(['ResnetBlock', 'Transformer'] as const),
  ...(['Add', 'Concat', 'Fill', 'Reshape', 'Slice', 'SplitV'] as const),
  ...(['Conv2D', 'FusedConv2D', 'BatchMatMul', '_FusedMatMul'] as const),
])

interface Attributes {
  readonly strides: number | [number, number]
  readonly pad: number | 'same' | 'valid' | tf.backend_util.ExplicitPadding
  readonly dilations: number | [number, number]
  readonly dimRoundingMode: 'floor' | 'round' | 'ceil'
  readonly transposeA: boolean
  readonly transposeB: boolean
}

const bytesOf = (shape: readonly number[]): number => 4 * shape.reduce((product, n) => product * n, 1)

function convInfo(inputs: Call['inputs'], { strides, pad, dilations, dimRoundingMode }: Attributes) {
  const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
  return tf.backend_util.computeConv2DInfo(x.shape, filter.shape, strides, dilations, pad, dimRoundingMode)
}

function productSides(inputs: Call['inputs'], { transposeA, transposeB }: Attributes) {
  const [a, b] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor]
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!]
  return { shape: [...outer, rows, columns], depth: b.shape.at(transposeB ? -1 : -2)! }
}

// XNNPACK's blocks are 8 or 16 channels wide.
const round = (channels: number): number => Math.ceil(channels / 16) * 16
