import * as tf from '@tensorflow/tfjs'
import { hasOwnKernel, type OwnKernel } from '../../src/core/index.js'

/** Runs something as on a backend that does not have the kernels. */
export function withoutKernels<T>(names: readonly OwnKernel[], run: () => T): T {
  const kernels = names.filter(hasOwnKernel).map((name) => tf.getKernel(name, tf.getBackend()))
  for (const { kernelName, backendName } of kernels) tf.unregisterKernel(kernelName, backendName)
  try {
    return run()
  } finally {
    for (const kernel of kernels) tf.registerKernel(kernel)
  }
}
