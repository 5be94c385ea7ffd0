import * as tf from '@tensorflow/tfjs'

/**
 * The tensor of what a kernel returned: most give a bare info, which the public ops do not take; those of tensorflow
 * give a tensor already, which must not be counted twice. Nothing is taped inside a kernel.
 */
export function tensorOf(result: tf.TensorInfo | tf.TensorInfo[]): tf.Tensor {
  const info = Array.isArray(result) ? result[0]! : result
  return info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info)
}
