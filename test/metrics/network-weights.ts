import type * as tf from '@tensorflow/tfjs'
import { fromTorch } from '../../src/nn/index.js'
import { hashWeight } from '../support/name-hash.js'

/** A weight by its name, as metrics-networks.py makes it: heads are not negative, and batch norms keep the size of the signal. */
export function networkWeight(name: string, shape: readonly number[]): Float32Array {
  const plain = hashWeight(name, shape)
  if (name.startsWith('lin')) return plain.map(Math.abs)
  if (name.endsWith('running_mean')) return plain.map((x) => x - 1)
  return name.endsWith('running_var') ? plain.map((x) => x / 2) : plain
}

/** All weights of a network, in this library's layout. */
export function networkWeights(shapes: ReadonlyMap<string, readonly number[]>): Map<string, tf.Tensor> {
  return new Map(
    [...shapes].map(([name, shape]) => [name, fromTorch(name, shape, networkWeight(name, shape))]),
  )
}
