import type * as tf from '@tensorflow/tfjs'
import type { OwnKernel } from '../../core/index.js'
import { attention } from './attention.js'
import type { Heads } from './attention-blocks.js'
import { attentionGrad } from './attention-by-products.js'
import { geglu, gegluGrad, geluGrad, geluOf, swish, swishGrad } from './elementwise.js'
import { groupNorm, groupNormGrad } from './group-norm.js'
import { layerNorm, layerNormGrad } from './layer-norm.js'
import { conv2d, linear } from './products.js'
import type { ProgramBackend } from './program.js'

/*
 * This library's kernels by compute shaders: what is checked and what it means is said at the layers of `nn` that run them.
 */

function kernel<Name extends string, Attributes = object>(
  run: (
    backend: ProgramBackend,
    inputs: Readonly<Record<Name, tf.TensorInfo>>,
    attributes: Attributes,
  ) => tf.TensorInfo | readonly tf.TensorInfo[],
): tf.KernelFunc {
  return ({ inputs, attrs, backend }) =>
    run(
      backend as ProgramBackend,
      inputs as unknown as Readonly<Record<Name, tf.TensorInfo>>,
      attrs as unknown as Attributes,
    ) as tf.TensorInfo | tf.TensorInfo[]
}

interface Groups {
  readonly groups: number
  readonly epsilon: number
}

/** By name. */
export const ownKernels = {
  Convolve: (call) => conv2d(call)!,
  Linear: linear,
  LinearPlus: linear,
  Attention: kernel<'q' | 'k' | 'v', Heads>(attention),
  AttentionGrad: kernel<'dOut' | 'q' | 'k' | 'v' | 'out' | 'logSums', Heads>(attentionGrad),
  GroupNorm: kernel<'x' | 'weight' | 'bias', Groups>((backend, inputs, groups) =>
    groupNorm(backend, inputs, groups, false),
  ),
  GroupNormSilu: kernel<'x' | 'weight' | 'bias', Groups>(
    (backend, inputs, groups) => groupNorm(backend, inputs, groups, true)[0]!,
  ),
  GroupNormGrad: kernel<'dy' | 'x' | 'weight' | 'mean' | 'inverse', Groups>((backend, inputs, { groups }) =>
    groupNormGrad(backend, inputs, groups),
  ),
  LayerNorm: kernel<'x' | 'weight' | 'bias', Groups>((backend, inputs, { epsilon }) =>
    layerNorm(backend, inputs, epsilon),
  ),
  LayerNormGrad: kernel<'dy' | 'x' | 'weight', Groups>((backend, inputs, { epsilon }) =>
    layerNormGrad(backend, inputs, epsilon),
  ),
  Swish: kernel<'x', { scale: number }>((backend, { x }, { scale }) => swish(backend, x, scale)),
  SwishGrad: kernel<'dy' | 'x', { scale: number }>((backend, { dy, x }, { scale }) =>
    swishGrad(backend, dy, x, scale),
  ),
  Gelu: kernel<'x'>((backend, { x }) => geluOf(backend, x)),
  GeluGrad: kernel<'dy' | 'x'>((backend, { dy, x }) => geluGrad(backend, dy, x)),
  Geglu: kernel<'x'>((backend, { x }) => geglu(backend, x)),
  GegluGrad: kernel<'dy' | 'x'>((backend, { dy, x }) => gegluGrad(backend, dy, x)),
} satisfies Partial<Record<OwnKernel, tf.KernelFunc>>
