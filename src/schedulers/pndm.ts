import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { expectNumber } from '../core/index.js'
import { expectPrediction, expectStep, type SchedulerOptions, variancePreserving } from './common.js'
import { type Combination, multistep, rungeKutta, rungeKuttaTimesteps } from './pndm-combine.js'
import { levelAt, readPrediction } from './predictions.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { spacedTimesteps } from './spacing.js'

/** Options of {@link pndm}. Spacing is `'leading'` unless said otherwise; predictions are epsilon or v. */
export interface PndmOptions extends SchedulerOptions {
  /** Starts with one repeated step (PLMS, true, as Stable Diffusion does) or with three Runge-Kutta steps (false). */
  readonly skipPrk?: boolean
  /** The last step ends at pure signal (true) or at the first training timestep (false, as Stable Diffusion does). */
  readonly setAlphaToOne?: boolean
}

/**
 * Pseudo numerical methods (Liu et al. 2022): a linear multistep combination of the network's outputs, then the
 * transfer of Eq. 11 from cumulative alpha a to a':
 *
 * ```text
 * e  = (55 e0 - 59 e1 + 37 e2 - 9 e3) / 24               fewer terms at the start
 * x' = sqrt(a' / a) x - (a' - a) e / (a sqrt(1 - a') + sqrt(a (1 - a) a'))
 * ```
 *
 * The network is called `steps + 1` times with `skipPrk`, else `steps + 9` times. The history is the last outputs,
 * the newest first, and between the calls of one step also where it started. A start after index 1 without
 * history takes a first-order step.
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function pndm(options: PndmOptions): Scheduler {
  const { steps, prediction = 'epsilon', spacing = 'leading', stepsOffset = 1 } = options
  const { skipPrk = true, setAlphaToOne = false } = options
  const alphas = cumulativeAlphas(options)
  const places = spacedTimesteps(spacing, alphas.length, steps, stepsOffset, 'pndm')
  const stride = Math.floor(alphas.length / steps)
  if (!skipPrk) expectNumber(steps, { min: 4 }, 'pndm', 'steps with Runge-Kutta steps (skipPrk false)')
  const opening = skipPrk ? [] : rungeKuttaTimesteps(places, stride)
  const timesteps = skipPrk ? repeatSecond(places) : [...opening, ...places.slice(3)]

  const alphaAt = (t: number) => (t >= 0 ? alphas[t]! : setAlphaToOne ? 1 : alphas[0]!)
  const levels = timesteps.map((t) => levelAt(alphaAt(t)))
  expectPrediction('pndm', prediction, levels, ['epsilon', 'v'])

  const combine = (input: StepInput): Combination =>
    input.index < opening.length
      ? rungeKutta(input, opening, stride)
      : multistep(input, timesteps, stride, skipPrk)

  const step = (input: StepInput) =>
    tf.tidy(() => {
      expectStep('pndm', timesteps.length, input, false)
      const { start, output, from, to, remember } = combine(input)
      const [a, a1] = [alphaAt(from), alphaAt(to)]
      const { denoised, noise: e } = readPrediction(prediction, start, output, levelAt(a))
      const slope = (a1 - a) / (a * Math.sqrt(1 - a1) + Math.sqrt(a * (1 - a) * a1))
      const x = start.mul(Math.sqrt(a1 / a)).sub<Tensor4D>(e.mul(slope))
      return { x, denoised, history: remember.map((tensor) => tensor.clone()) }
    })

  return Object.freeze({
    name: 'pndm',
    steps,
    timesteps: Object.freeze(timesteps),
    prediction,
    alphasCumprod: alphas,
    stochastic: false,
    ...variancePreserving('pndm', levels),
    step,
  })
}

function repeatSecond(places: readonly number[]): readonly number[] {
  return places.length === 1 ? places : [places[0]!, places[1]!, ...places.slice(1)]
}
