import * as tf from '@tensorflow/tfjs'

interface Tape {
  readonly state: {
    activeTape: readonly { readonly saved?: readonly tf.Tensor[] }[] | null
    gradientDepth: number
  }
}

/** What {@link valueAndGradients} returns; all owned by the caller. */
export interface ValueAndGradients {
  /** The scalar loss. */
  readonly value: tf.Scalar
  /** One gradient per input, of the same shape. */
  readonly gradients: tf.Tensor[]
}

/**
 * Loss and its gradients with respect to `inputs`, all owned by the caller.
 *
 * Unlike `tf.valueAndGrads`, a throw inside `loss` (or an unconnected input) leaves no tensor behind:
 * TensorFlow.js cleans its tape only after a successful backward pass.
 *
 * @param loss - differentiable, returns a scalar; called once, inside a tidy
 * @param inputs - differentiated; borrowed
 * @returns the scalar loss and one gradient per input, of the same shape
 */
export function valueAndGradients(
  loss: (...inputs: tf.Tensor[]) => tf.Scalar,
  inputs: readonly tf.Tensor[],
): ValueAndGradients {
  const engine = tf.engine()
  const depth = (engine as unknown as Tape).state.gradientDepth
  try {
    const { value, grads } = engine.gradients(() => loss(...inputs), [...inputs])
    return { value: value as tf.Scalar, gradients: grads }
  } catch (error) {
    const { state } = engine as unknown as Tape
    for (const node of state.activeTape ?? []) for (const tensor of node.saved ?? []) tensor.dispose()
    state.activeTape = null
    state.gradientDepth = depth
    throw error
  }
}
