import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { mersenne } from 'pure-rand/generator/mersenne'
import { expectNumber } from '../../core/index.js'

/**
 * Which patients each resample holds: `resamples` lists of `patients` indices drawn with replacement.
 *
 * @param patients - how many there are
 * @param resamples - how many lists
 * @param seed - a whole number; the same seed gives the same lists on every machine
 * @throws ArgumentError on counts below 1 or a seed that is not a whole number from 0 to 2^32 - 1
 */
export function resampleIndices(patients: number, resamples: number, seed: number): number[][] {
  expectNumber(patients, { min: 1, integer: true }, 'resampleIndices', 'patients')
  expectNumber(resamples, { min: 1, integer: true }, 'resampleIndices', 'resamples')
  const generator = seeded(seed, 'resampleIndices')
  return Array.from({ length: resamples }, () =>
    Array.from({ length: patients }, () => uniformInt(generator, 0, patients - 1)),
  )
}

/**
 * Random signs, one list of +1 and -1 per call.
 *
 * @param seed - a whole number from 0 to 2^32 - 1
 * @param where - the public function, for messages
 * @returns fills the given list with fresh signs
 * @throws ArgumentError on another seed
 */
export function signSource(seed: number, where: string): (signs: Int8Array) => Int8Array {
  const generator = seeded(seed, where)
  return (signs) => {
    // 24 signs per draw: the low bits of a 32-bit word are as good as the high ones here.
    let word = 0
    for (let i = 0; i < signs.length; i++) {
      if (i % 24 === 0) word = uniformInt(generator, 0, 2 ** 24 - 1)
      signs[i] = (word >> (i % 24)) & 1 ? 1 : -1
    }
    return signs
  }
}

// The Mersenne twister scrambles its seed; the first words of the xorshift family are nearly the seed itself.
function seeded(seed: number, where: string) {
  expectNumber(seed, { min: 0, max: 2 ** 32 - 1, integer: true }, where, 'seed')
  return mersenne(seed | 0)
}
