import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from './errors.js'
import { expectNumber } from './shapes.js'
import { type TorchRandom, torchRandn } from './torch-random.js'

/**
 * Standard normal noise on request; every call continues the same stream.
 *
 * @param shape - `[batch, height, width, channels]`
 * @returns a tensor of that shape, owned by the caller
 */
export type NoiseSource = (shape: readonly [number, number, number, number]) => Tensor4D

/**
 * Noise equal to what diffusers draws on the CPU for the same seed.
 *
 * Torch fills `[batch, channels, height, width]` in one contiguous draw; the values are the same here and the
 * result is channels-last. Row k of a batch therefore depends on the batch size: give a list of seeds, one per
 * row, for rows that can be redrawn alone (the list of generators of diffusers).
 *
 * @param seed - a seed, one seed per row, or a generator to continue
 * @throws ArgumentError on a seed that is not a whole number from 0 to 2^53 - 1; and, from the source,
 * when the batch has another number of rows than there are seeds
 */
export function latentNoise(seed: number | readonly number[] | TorchRandom): NoiseSource {
  const generators = asGenerators(seed)
  return (shape) => {
    const [batch, height, width, channels] = shape
    for (const size of shape) expectNumber(size, { integer: true, min: 1 }, 'latentNoise', 'every size')
    const planes = draw(generators, batch, channels * height * width)
    return tf.tidy(() => tf.tensor4d(planes, [batch, channels, height, width]).transpose([0, 2, 3, 1]))
  }
}

// One generator draws the whole batch at once; several draw a row each.
function draw(generators: readonly TorchRandom[], batch: number, rowSize: number): Float32Array {
  if (generators.length === 1) return generators[0]!.normal(batch * rowSize)
  if (generators.length !== batch) {
    throw new ArgumentError({
      rule: 'latentNoise needs as many seeds as the batch has rows',
      got: `${generators.length} seeds for ${batch} rows`,
      mend: 'Pass one seed for a single draw of the whole batch, or one per row.',
    })
  }
  const values = new Float32Array(batch * rowSize)
  for (const [row, generator] of generators.entries()) values.set(generator.normal(rowSize), row * rowSize)
  return values
}

function asGenerators(seed: number | readonly number[] | TorchRandom): readonly TorchRandom[] {
  if (typeof seed === 'number') return [torchRandn(seed)]
  if ('normal' in seed) return [seed]
  if (seed.length > 0) return seed.map((one) => torchRandn(one))
  throw new ArgumentError({
    rule: 'latentNoise needs one seed, or one per row',
    got: 'an empty list',
    mend: 'Pass a number for one draw of the whole batch.',
  })
}
