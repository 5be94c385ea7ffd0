import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError } from '../core/index.js'
import type { StepInput } from './scheduler.js'

/** What one call of the network contributes: which output carries which latents from where to where. */
export interface Combination {
  /** The latents that the transfer starts from. */
  readonly start: Tensor4D
  /** The combined output. */
  readonly output: Tensor4D
  /** Timestep of `start`. */
  readonly from: number
  /** Timestep of the result; negative beyond the first. */
  readonly to: number
  /** The next step's history: outputs from the newest back, then what is needed inside one step. */
  readonly remember: readonly Tensor4D[]
}

// Adams-Bashforth weights, newest output first (Liu et al. 2022, Eq. 12; fewer terms: Appendix).
const weights = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]]

/**
 * Linear multistep. With `repeats`, the first interval is walked twice: the call at index 1 averages both ends'
 * outputs and starts over from the first latents.
 */
export function multistep(
  { x, output, index, history = [] }: StepInput,
  timesteps: readonly number[],
  stride: number,
  repeats: boolean,
): Combination {
  const t = timesteps[index]!
  if (repeats && index === 1 && history.length === 2) {
    const [first, start] = [history[0]!, history[1]!]
    return { start, output: output.add(first).div(2), from: t + stride, to: t, remember: [first] }
  }
  const outputs = [output, ...history].slice(0, 4)
  return {
    start: x,
    output: weighted(outputs, weights[outputs.length - 1]!),
    from: t,
    to: t - stride,
    remember: repeats && index === 0 ? [output, x] : outputs.slice(0, 3),
  }
}

/**
 * The timesteps of three Runge-Kutta steps over the first four places: each step calls the network at its start,
 * twice at its middle, and at its end.
 */
export function rungeKuttaTimesteps(places: readonly number[], stride: number): readonly number[] {
  const half = Math.floor(stride / 2)
  return [0, 1, 2].flatMap((k) => {
    const middle = places[k + 1]! + half
    return [places[k]!, middle, middle, places[k + 1]!]
  })
}

/** Fourth-order Runge-Kutta: the history is one output per finished step, then the sum so far, then the start. */
export function rungeKutta(
  { x, output, index, history = [] }: StepInput,
  opening: readonly number[],
  stride: number,
): Combination {
  const [call, group] = [index % 4, Math.floor(index / 4)]
  const from = opening[group * 4]!
  const to = opening[index]! - (call % 2 === 0 ? Math.floor(stride / 2) : 0)
  const share = output.div<Tensor4D>(call === 0 || call === 3 ? 6 : 3)
  if (call === 0) {
    const outputs = [output, ...history].slice(0, 3)
    return { start: x, output, from, to, remember: [...outputs, share, x] }
  }
  if (history.length !== group + 3) {
    throw new ArgumentError({
      rule: `pndm.step needs the history of the call before index ${index}, inside a Runge-Kutta step`,
      got: `${history.length} tensors`,
      mend: 'Pass the history that the previous step returned; start at index 0, 4 or 8, or use skipPrk.',
    })
  }
  const [sum, start] = [history.at(-2)!.add<Tensor4D>(share), history.at(-1)!]
  const outputs = history.slice(0, -2)
  return call === 3
    ? { start, output: sum, from, to, remember: outputs }
    : { start, output, from, to, remember: [...outputs, sum, start] }
}

function weighted(outputs: readonly Tensor4D[], factors: readonly number[]): Tensor4D {
  return outputs.map((output, i) => output.mul<Tensor4D>(factors[i]!)).reduce((sum, term) => sum.add(term))
}
