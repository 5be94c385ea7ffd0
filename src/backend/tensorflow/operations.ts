import * as tf from '@tensorflow/tfjs'

/** The part of tfjs-node's backend that runs TensorFlow's operations by name. */
export interface TensorflowBackend {
  readonly isUsingGpuDevice: boolean
  readonly binding: Readonly<
    Record<
      | 'TF_FLOAT'
      | 'TF_INT32'
      | 'TF_ATTR_TYPE'
      | 'TF_ATTR_BOOL'
      | 'TF_ATTR_INT'
      | 'TF_ATTR_FLOAT'
      | 'TF_ATTR_STRING',
      number
    >
  >
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.Tensor
  /** Values that the engine does not know of. */
  write(values: Int32Array, shape: number[], dtype: 'int32'): object
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[]
}

/** An attribute of an operation, as the addon takes it. */
export interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

/** Says that the operation is one on float32. */
export const float = ({ binding }: TensorflowBackend): Attribute => ({
  name: 'T',
  type: binding.TF_ATTR_TYPE,
  value: binding.TF_FLOAT,
})

/** A real number. */
export const real = ({ binding }: TensorflowBackend, name: string, value: number): Attribute => ({
  name,
  type: binding.TF_ATTR_FLOAT,
  value,
})

/** Says that an operand is one of whole numbers. */
export const whole = ({ binding }: TensorflowBackend, name: string): Attribute => ({
  name,
  type: binding.TF_ATTR_TYPE,
  value: binding.TF_INT32,
})

/** A whole number. */
export const integer = ({ binding }: TensorflowBackend, name: string, value: number): Attribute => ({
  name,
  type: binding.TF_ATTR_INT,
  value,
})

/** A list of whole numbers. */
export const list = ({ binding }: TensorflowBackend, name: string, value: readonly number[]): Attribute => ({
  name,
  type: binding.TF_ATTR_INT,
  value,
})

/** Words. */
export const text = ({ binding }: TensorflowBackend, name: string, value: string): Attribute => ({
  name,
  type: binding.TF_ATTR_STRING,
  value,
})

/** Yes or no. */
export const flag = ({ binding }: TensorflowBackend, name: string, value: boolean): Attribute => ({
  name,
  type: binding.TF_ATTR_BOOL,
  value,
})

/**
 * Whether an operation of oneDNN is there: it is missing from a TensorFlow that was built without oneDNN, or told not to
 * use it.
 */
export function works(operation: () => unknown): boolean {
  try {
    tf.tidy(() => void operation())
    return true
  } catch {
    return false
  }
}

/** `a · b` of two matrices by TensorFlow's `MatMul`. */
export function matrixProduct(
  backend: TensorflowBackend,
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  { transposeA = false, transposeB = false } = {},
): tf.Tensor2D {
  const attributes = [
    float(backend),
    flag(backend, 'transpose_a', transposeA),
    flag(backend, 'transpose_b', transposeB),
  ]
  return backend.executeSingleOutput('MatMul', attributes, [a, b]) as tf.Tensor2D
}
