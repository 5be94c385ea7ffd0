import * as tf from '@tensorflow/tfjs'
import { mersenne, mersenneFromState } from 'pure-rand/generator/mersenne'
import { boxMuller16 } from './box-muller.js'
import { ArgumentError } from './errors.js'
import { hasOwnKernel, runOwnKernel } from './run-kernel.js'
import { expectNumber } from './shapes.js'

/** Where a {@link TorchRandom} stands: plain JSON, so that training can resume to the same stream. */
export interface TorchRandomState {
  /** Index and words of the Mersenne twister, 625 numbers. */
  readonly twister: readonly number[]
  /** The second half of a Box-Muller pair that a draw of fewer than 16 values left behind. */
  readonly cached: number | null
}

/** A stream of numbers equal to that of one CPU `torch.Generator`; every call continues it. */
export interface TorchRandom {
  /** Standard normal values as `torch.randn(count)` draws them (within 5e-7; below 16 values, to the last bit). */
  normal(count: number): Float32Array
  /** The same as a tensor, owned by the caller; many at a time by the backend's own kernel, where it has one. */
  normalTensor<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R>
  /** Values in [0, 1) as `torch.rand(count)` draws them. */
  uniform(count: number): Float32Array
  /** Whole numbers from `low` to `high - 1` as `torch.randint(low, high, (count,))` draws them; the range is below 2^24. */
  integers(count: number, low: number, high: number): Int32Array
  /** A copy of the state, for {@link torchRandn} to continue from. */
  state(): TorchRandomState
}

/**
 * The random numbers of `torch.Generator().manual_seed(seed)` on the CPU: MT19937, and Box-Muller in torch's
 * two layouts. Draws of the same sizes in the same order give the same values as torch.
 *
 * ```ts
 * const random = torchRandn(0)
 * random.normal(16384) // torch.manual_seed(0); torch.randn(16384)
 * const later = torchRandn(random.state()) // continues where random stands
 * ```
 *
 * @param from - a seed (used modulo 2^32, as torch does), or the state to continue from
 * @throws ArgumentError on a seed that is not a whole number from 0 to 2^53 - 1, or a broken state
 */
export function torchRandn(from: number | TorchRandomState): TorchRandom {
  let twister = typeof from === 'object' ? resume(from) : seeded(from)
  let cached = typeof from === 'object' ? from.cached : null

  const uniform24 = () => (twister.next() & 0xffffff) / 0x1000000
  const uniform53 = () => {
    const high = twister.next() & 0x1fffff
    return (high * 2 ** 32 + (twister.next() >>> 0)) / 2 ** 53
  }

  // Fewer than 16 values: double-precision pairs, the second of each kept for the next value asked for.
  const nextNormal = () => {
    if (cached !== null) {
      const value = cached
      cached = null
      return value
    }
    const angle = 2 * Math.PI * uniform53()
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53()))
    cached = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  // 16 or more: blocks of 16 uniforms become 8 cosines and 8 sines; a ragged end redraws the last 16.
  const fillNormal = (values: Float32Array) => {
    const { length } = values
    for (let i = 0; i < length; i++) values[i] = uniform24()
    for (let start = 0; start + 16 <= length; start += 16) boxMuller16(values, start)
    if (length % 16 === 0) return
    for (let i = length - 16; i < length; i++) values[i] = uniform24()
    boxMuller16(values, length - 16)
  }

  const normal = (count: number) => {
    const values = new Float32Array(expectCount(count, 'normal'))
    if (count >= 16) fillNormal(values)
    else for (let i = 0; i < count; i++) values[i] = nextNormal()
    return values
  }

  const normalTensor = <R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> => {
    const count = shape.reduce((product, n) => product * n, 1)
    if (count < manyAtOnce || !hasOwnKernel('TorchNormal')) return tf.tensor(normal(count), shape)
    const state = tf.tensor1d(Int32Array.from(twister.getState()), 'int32')
    const [values, next] = runOwnKernel('TorchNormal', { state }, { shape })!
    twister = mersenneFromState([...next!.dataSync()])
    tf.dispose([state, next!])
    return values as tf.Tensor<R>
  }

  return Object.freeze({
    normal,
    normalTensor,
    uniform(count: number) {
      return new Float32Array(expectCount(count, 'uniform')).map(uniform24)
    },
    integers(count: number, low: number, high: number) {
      expectNumber(low, { integer: true, min: -(2 ** 31), max: 2 ** 31 - 1 }, 'integers', 'low')
      expectNumber(high, { integer: true, min: low + 1, max: low + 2 ** 24 }, 'integers', 'high')
      return new Int32Array(expectCount(count, 'integers')).map(
        () => low + ((twister.next() >>> 0) % (high - low)),
      )
    },
    state: () => ({ twister: [...twister.getState()], cached }),
  })
}

// Below it a call costs more than the numbers.
const manyAtOnce = 2048

function seeded(seed: number) {
  expectNumber(seed, { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER }, 'torchRandn', 'seed')
  return mersenne(seed % 2 ** 32)
}

function resume({ twister, cached }: TorchRandomState) {
  const whole = Array.isArray(twister) && twister.length === 625 && twister.every(Number.isInteger)
  if (whole && twister[0]! >= 0 && twister[0]! < 624 && (cached === null || Number.isFinite(cached))) {
    return mersenneFromState(twister)
  }
  throw new ArgumentError({
    rule: 'torchRandn continues from what state() returned',
    got: `a state of ${Array.isArray(twister) ? twister.length : 'no'} numbers`,
    mend: 'Pass a seed, or save and restore the state whole.',
  })
}

function expectCount(count: number, what: string): number {
  expectNumber(count, { integer: true, min: 0, max: 2 ** 31 - 1 }, what, 'count')
  return count
}
