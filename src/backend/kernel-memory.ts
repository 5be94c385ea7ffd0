import * as tf from '@tensorflow/tfjs'

/** What a kernel is going to ask for, in bytes. */
export interface Growth {
  /** Its result; 0 where it cannot be told from the arguments cheaply. */
  readonly output: number
  /** What its C++ allocates on the way where no caller can see it: packed weights, tables of pointers. */
  readonly inside: number
}

// What any kernel may take for lists of shapes and the like.
const small = 1 << 20

/**
 * The memory that a call of a kernel will ask for, from its arguments alone.
 *
 * XNNPACK, which the wasm backend calls, packs the second operand of a product and the filter of a convolution into
 * a copy of its own, padded to whole blocks, and keeps, for a convolution, one pointer per tap of every pixel.
 */
export function growthOf(kernelName: string, { inputs, attrs }: Parameters<tf.KernelFunc>[0]): Growth {
  const bytes = (shape: readonly number[]) => 4 * shape.reduce((product, n) => product * n, 1)
  switch (kernelName) {
    case 'Conv2D':
    case 'FusedConv2D': {
      const [x, filter] = [inputs.x as tf.Tensor4D, inputs.filter as tf.Tensor4D]
      const { strides, pad, dilations, dimRoundingMode } = attrs as unknown as Parameters2d
      const info = tf.backend_util.computeConv2DInfo(
        x.shape,
        filter.shape,
        strides,
        dilations,
        pad,
        dimRoundingMode,
      )
      const pointers = bytes([info.outHeight, info.outWidth, info.filterHeight, info.filterWidth])
      const output = bytes(info.outShape)
      const packed = bytes([info.filterHeight, info.filterWidth, info.inChannels, round(info.outChannels)])
      return { output, inside: small + packed + pointers + (kernelName === 'FusedConv2D' ? output : 0) }
    }
    case 'BatchMatMul':
    case '_FusedMatMul': {
      const [a, b] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor]
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean }
      const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!]
      const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
      const depth = b.shape.at(transposeB ? -1 : -2)!
      return { output: bytes([...outer, rows, columns]), inside: small + bytes([depth + 1, round(columns)]) }
    }
    case 'Attention':
    case 'AttentionGrad':
      return { output: bytes((inputs.q as tf.Tensor).shape), inside: small }
    case 'Geglu':
    case 'GegluGrad':
    case 'Gelu':
    case 'GeluGrad':
    case 'GroupNorm':
    case 'GroupNormGrad':
    case 'LayerNorm':
    case 'LayerNormGrad':
    case 'Swish':
    case 'SwishGrad':
      return { output: bytes((inputs.x as tf.Tensor).shape), inside: small }
    case 'ReadParameter':
    case 'TorchNormal':
    case 'Fill':
      return { output: bytes((attrs as unknown as { shape: number[] }).shape), inside: small }
    default:
      return { output: 0, inside: small }
  }
}

// XNNPACK's blocks are 8 or 16 channels wide.
const round = (channels: number): number => Math.ceil(channels / 16) * 16

interface Parameters2d {
  readonly strides: number | [number, number]
  readonly pad: number | 'same' | 'valid' | tf.backend_util.ExplicitPadding
  readonly dilations: number | [number, number]
  readonly dimRoundingMode: 'floor' | 'round' | 'ceil'
}
