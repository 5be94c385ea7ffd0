import * as tf from '@tensorflow/tfjs'
import { runKernel, runOwnKernel, runUntapedKernel, withGradient } from '../core/index.js'
import type { ConvParameters } from './parameters.js'

/** How a convolution moves and pads. */
export interface ConvOptions {
  /** Step between outputs; 1 by default. */
  readonly stride?: number
  /** Zeros before and after each spatial axis; by default what keeps the size at stride 1. */
  readonly padding?: readonly [before: number, after: number]
}

/**
 * 2-D convolution (cross-correlation) with bias.
 *
 * Padding is always explicit: TensorFlow's `'same'` pads a strided convolution on other sides than PyTorch does.
 *
 * @param parameters - `weight [kh, kw, in, out]`, optional `bias [out]`
 * @param x - `[batch, height, width, in]`, borrowed
 * @returns `[batch, height', width', out]`, owned by the caller
 */
export function conv2d(
  { weight, bias }: ConvParameters,
  x: tf.Tensor4D,
  { stride = 1, padding }: ConvOptions = {},
): tf.Tensor4D {
  const convolve = (map: tf.Tensor4D, pad: 'valid' | 'same') =>
    bias ? biasedConv2d(map, weight, bias, stride, pad) : tf.conv2d(map, weight, stride, pad)
  if (!padding) return convolve(x, 'same')
  const sides: tf.backend_util.ExplicitPadding = [[0, 0], [...padding], [...padding], [0, 0]]
  const inputs = { x, filter: weight, ...(bias && { bias }) }
  const [own] = runUntapedKernel('Convolve', inputs, attributesOf(stride, sides)) ?? []
  if (own) return own as tf.Tensor4D
  return tf.tidy(() => convolve(tf.pad(x, sides), 'valid'))
}

/**
 * `conv2d(x) + plus` at stride 1, in one pass where the backend can and nothing is differentiated. As {@link conv2d}.
 *
 * @param plus - of the result's shape, borrowed
 */
export function conv2dPlus(parameters: ConvParameters, x: tf.Tensor4D, plus: tf.Tensor4D): tf.Tensor4D {
  const { weight: filter, bias } = parameters
  const inputs = { x, filter, ...(bias && { bias }), plus }
  const [own] = runUntapedKernel('Convolve', inputs, attributesOf(1, 'same')) ?? []
  return (own ?? tf.tidy(() => tf.add(conv2d(parameters, x), plus))) as tf.Tensor4D
}

const attributesOf = (strides: number, pad: 'valid' | 'same' | tf.backend_util.ExplicitPadding) => ({
  strides,
  pad,
  dataFormat: 'NHWC',
  dilations: [1, 1],
})

// Not tf.fused.conv2d, which computes the gradients of all three or of none.
function biasedConv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias: tf.Tensor1D,
  strides: number,
  pad: 'valid' | 'same',
): tf.Tensor4D {
  const attributes = attributesOf(strides, pad)
  return withGradient<tf.Tensor4D>([x, weight, bias], {
    forward: (save) => {
      save([x, weight])
      return runKernel('FusedConv2D', { x, filter: weight, bias }, { ...attributes, activation: 'linear' })
    },
    backward: (dy, [input, filter]) => [
      () => tf.conv2dTranspose(dy, filter as tf.Tensor4D, x.shape, strides, pad),
      () =>
        runKernel('Conv2DBackpropFilter', { x: input!, dy }, { ...attributes, filterShape: weight.shape }),
      () => runOwnKernel('SumRows', { x: dy })?.[0] ?? tf.sum(dy, [0, 1, 2]),
    ],
  })
}
