import type * as tf from '@tensorflow/tfjs'
import { breathe, CheckpointError, ContrafactError, hasOwnKernel } from '../core/index.js'
import { fromTorch, fromTorchFile, type StoredParameter } from '../nn/index.js'
import { type LoadParametersOptions, matchParameters, readInOrder } from './parameters.js'
import type { ComponentWeights } from './weights.js'

/** One parameter of a model, in this library's layout. */
export interface LoadedTensor {
  /** The name that the model expects. */
  readonly name: string
  /** As {@link fromTorch} turns it; owned by whoever takes it. */
  readonly tensor: tf.Tensor
}

/**
 * {@link loadParameters} to tensors in the layout that the layers multiply by, one after the other: by the backend's own
 * kernel from the file to its place at once, and through an array elsewhere.
 *
 * @param weights - open; stays the caller's, and must stay open until the last tensor is taken
 * @param expected - names to shapes, as PyTorch has them
 * @returns every expected parameter, in the order of the file
 * @throws CheckpointError listing every missing and mis-shaped parameter, before anything is read; or naming a file that
 * ends too soon
 */
export async function* loadTensors(
  weights: ComponentWeights,
  expected: ReadonlyMap<string, readonly number[]>,
  options: LoadParametersOptions = {},
): AsyncGenerator<LoadedTensor> {
  const { nameOf } = matchParameters(weights, expected, options)
  const stored = [...nameOf].map(([source, name]) => ({ name, place: storedAt(weights, source) }))
  if (!hasOwnKernel('ReadParameter') || stored.some(({ place }) => !place)) {
    for await (const { name, shape, data } of readInOrder(weights, nameOf, expected))
      yield { name, tensor: fromTorch(name, shape, data) }
    return
  }
  for (const { name, place } of stored) {
    await breathe({}, 'loading tensors')
    yield { name, tensor: readTensor(name, expected.get(name)!, place!) }
  }
}

function storedAt(weights: ComponentWeights, source: string): StoredParameter | undefined {
  const [place, dtype] = [weights.place(source), weights.dtype(source)]
  return place && (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') ? { ...place, dtype } : undefined
}

function readTensor(name: string, shape: readonly number[], place: StoredParameter): tf.Tensor {
  try {
    return fromTorchFile(name, shape, place)!
  } catch (cause) {
    if (cause instanceof ContrafactError || !String(cause).includes('cannot be read')) throw cause
    throw new CheckpointError({
      rule: `${place.path} must keep its size while it is read`,
      got: `an end before ${name}, which begins at byte ${place.begin}`,
      mend: 'Another program is changing the file; read it again when it is done.',
      cause,
    })
  }
}
