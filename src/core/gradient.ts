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
 * Unlike `tf.valueAndGrads`, a throw inside `loss` or its gradient (or an unconnected input) leaves no tensor behind:
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
  let result: tf.Scalar | undefined
  const forward = () => {
    result = loss(...inputs)
    return result
  }
  try {
    const { value, grads } = engine.gradients(forward, [...inputs])
    return { value: value as tf.Scalar, gradients: grads }
  } catch (error) {
    result?.dispose()
    const { state } = engine as unknown as Tape
    forgetTape(state)
    state.gradientDepth = depth
    throw error
  }
}

/** What {@link withGradient} computes and how it is differentiated. */
export interface Differentiable<T extends tf.Tensor> {
  /** The result; hands what the gradient will need to `save`, which keeps it for as long as there is a tape. */
  readonly forward: (save: (tensors: readonly tf.Tensor[]) => void) => T
  /** One function per input, in order; only those of inputs that are differentiated by are called. */
  readonly backward: (dy: T, saved: readonly tf.Tensor[]) => readonly (() => tf.Tensor)[]
}

/**
 * An operation with a gradient of its own. Unlike `tf.customGrad`, which computes the gradients of all inputs or of none,
 * it leaves out those that nobody asked for: a fitted embedding does not pay for the gradients of the weights.
 *
 * @param inputs - differentiated; borrowed
 * @param operation - forward and backward; both are tidied, and nothing inside them is taped
 * @returns what `forward` returned, owned by the caller
 */
export function withGradient<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  { forward, backward }: Differentiable<T>,
): T {
  if (!isTaped()) return tf.tidy(() => forward(() => {}))
  const engine = tf.engine() as unknown as GradientEngine
  return engine.runKernelFunc({
    forwardFunc: (_, save) => forward(save),
    backwardsFunc: (dy, saved) => ({ ...backward(dy as T, saved) }),
    inputs: { ...inputs },
  }) as T
}

/**
 * A stretch of a network whose results on the way are not kept for the gradient but computed again (Chen et al. 2016,
 * "Training deep nets with sublinear memory cost"): memory of the inputs alone, for the time of one more forward pass.
 *
 * @param inputs - differentiated, each of them used by `run`; borrowed. What else `run` uses counts as constant
 * @param run - differentiable; called once forwards, and once more for the gradient
 * @returns what `run` returned, owned by the caller
 */
export function recomputed<T extends tf.Tensor, const I extends readonly tf.Tensor[]>(
  inputs: I,
  run: (...inputs: I) => T,
): T {
  return withGradient<T>(inputs, {
    forward: (save) => {
      save(inputs)
      return run(...inputs)
    },
    backward: (dy, saved) =>
      gradientsAside(() => run(...(saved as I)), saved, dy).map((gradient) => () => gradient),
  })
}

// Gradients in the middle of a backward pass, whose own tape lies aside meanwhile.
function gradientsAside(run: () => tf.Tensor, inputs: readonly tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const engine = tf.engine()
  const { state } = engine as unknown as Tape
  const [tape, depth] = [state.activeTape, state.gradientDepth]
  try {
    return engine.gradients(run, [...inputs], dy).grads
  } catch (error) {
    forgetTape(state)
    throw error
  } finally {
    state.activeTape = tape
    state.gradientDepth = depth
  }
}

/** Whether what is computed now will be differentiated. */
export const isTaped = (): boolean => (tf.engine() as unknown as Tape).state.gradientDepth > 0

function forgetTape(state: Tape['state']): void {
  for (const node of state.activeTape ?? []) for (const tensor of node.saved ?? []) tensor.dispose()
  state.activeTape = null
}

// What tf.customGrad is made of.
interface GradientEngine {
  runKernelFunc(call: {
    forwardFunc: (backend: unknown, save: (tensors: readonly tf.Tensor[]) => void) => tf.Tensor
    backwardsFunc: (dy: tf.Tensor, saved: readonly tf.Tensor[]) => Record<number, () => tf.Tensor>
    inputs: Record<number, tf.Tensor>
  }): tf.Tensor
}
