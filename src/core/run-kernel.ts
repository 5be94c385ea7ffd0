import * as tf from '@tensorflow/tfjs'
import { isTaped } from './gradient.js'

/**
 * Runs a kernel of the active backend by name: for those without a public operation, and inside {@link withGradient} for
 * those whose operation brings a gradient of its own along.
 *
 * @typeParam T - what the kernel returns: a tensor, or several
 * @param name - what the registry calls it
 * @param inputs - borrowed
 * @param attributes - plain values
 * @returns its results, owned by the caller
 */
export function runKernel<T extends tf.Tensor | tf.Tensor[]>(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: object,
): T {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as T
}

/** A kernel of this library: `backend` gives it to backends on which a composition of operations is slow. */
export type OwnKernel =
  | 'AdamW'
  | 'Attention'
  | 'Convolve'
  | 'Geglu'
  | 'Gelu'
  | 'GlobalNorm'
  | 'GroupNorm'
  | 'GroupNormSilu'
  | 'LayerNorm'
  | 'Linear'
  | 'LinearPlus'
  | 'Mix'
  | 'ReadParameter'
  | 'ResnetBlock'
  | 'Split'
  | 'SumRows'
  | 'Swish'
  | 'TorchNormal'
  | 'Transformer'
  | 'Winograd'
  | `${'Attention' | 'Geglu' | 'Gelu' | 'GroupNorm' | 'LayerNorm' | 'Swish'}Grad`

/** Whether the active backend has a kernel of this library. */
export const hasOwnKernel = (name: OwnKernel): boolean => Boolean(tf.getKernel(name, tf.getBackend()))

/**
 * Runs a kernel that is not TensorFlow.js's but this library's, where the active backend has it.
 *
 * @param inputs - by name; or one after the other, for a kernel of lists: `N` of every kind
 * @param attributes - plain values; of a kernel of a whole block its parameters too, a tree of tensors that nothing is differentiated by
 * @returns its results, owned by the caller, or nothing where the backend leaves it to operations
 */
export function runOwnKernel(
  name: OwnKernel,
  inputs: Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[],
  attributes: object = {},
): tf.Tensor[] | undefined {
  if (!hasOwnKernel(name)) return undefined
  return [runKernel(name, inputs as Readonly<Record<string, tf.Tensor>>, attributes)].flat()
}

/** As {@link runOwnKernel}, for kernels without a gradient: nothing where what is computed now will be differentiated. */
export const runUntapedKernel: typeof runOwnKernel = (name, inputs, attributes) =>
  isTaped() ? undefined : runOwnKernel(name, inputs, attributes)
