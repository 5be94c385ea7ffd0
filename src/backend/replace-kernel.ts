import * as tf from '@tensorflow/tfjs'

/**
 * Puts another function in the place of a kernel of a backend; all else that is registered with it stays.
 *
 * @param backendName - whose kernel
 * @param kernelName - must be registered
 * @param make - the new function, from the one that was there
 */
export function replaceKernel(
  backendName: string,
  kernelName: string,
  make: (general: tf.KernelFunc) => tf.KernelFunc,
): void {
  const kernel = tf.getKernel(kernelName, backendName)
  tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({ ...kernel, kernelFunc: make(kernel.kernelFunc) })
}
