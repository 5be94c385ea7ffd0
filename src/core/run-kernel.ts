import * as tf from '@tensorflow/tfjs'

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

/**
 * Runs a kernel that is not TensorFlow.js's but this library's, where the active backend has it: `backend` gives it to
 * those on which a composition of operations is slow.
 *
 * @returns its results, owned by the caller, or nothing where the backend leaves it to operations
 */
export function runOwnKernel(
  name: 'GroupNorm' | 'GroupNormGrad' | 'LayerNorm' | 'Swish',
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: object = {},
): tf.Tensor[] | undefined {
  if (!tf.getKernel(name, tf.getBackend())) return undefined
  return [runKernel(name, inputs, attributes)].flat()
}
