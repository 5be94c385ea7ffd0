import * as tf from '@tensorflow/tfjs'
import { expectPrediction, expectStep, type SchedulerOptions } from './common.js'
import { levelAtRatio, readPrediction } from './predictions.js'
import {
  eulerTimesteps,
  type FinalSigma,
  interpolate,
  karrasRatios,
  ratioTable,
  timestepOf,
  withFinal,
} from './ratios.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { varianceExploding } from './variance-exploding.js'

/** Options of {@link euler}. Spacing is `'linspace'` unless said otherwise: its timesteps are fractional. */
export interface EulerOptions extends SchedulerOptions {
  /** Spaces the noise levels as Karras et al. 2022, Eq. 5, between those of the first and last timestep; false. */
  readonly karras?: boolean
  /** Where the last step ends; `'zero'`. */
  readonly finalSigma?: FinalSigma
}

/**
 * Euler's method on the probability-flow ODE (Karras et al. 2022, Algorithm 2 without churn; `sample_euler` of
 * k-diffusion). Latents are `x0 + sigma z`, so call the network with {@link Scheduler.scaleInput}.
 *
 * ```text
 * d  = (x - x0) / sigma
 * x' = x + d (sigma' - sigma) = x0 + sigma' d
 * ```
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function euler(options: EulerOptions): Scheduler {
  const { steps, prediction = 'epsilon', spacing = 'linspace', karras = false, finalSigma = 'zero' } = options
  const alphas = cumulativeAlphas(options)
  const table = ratioTable(alphas)
  const spaced = eulerTimesteps(alphas.length, options, 'euler')
  const plain = spaced.map((t) => interpolate(table, t))
  const ratios = karras ? karrasRatios(plain[0]!, plain.at(-1)!, steps) : plain
  const timesteps = karras ? ratios.map((ratio) => Math.fround(timestepOf(ratio, table))) : spaced
  const sigmas = withFinal(ratios, finalSigma, table)
  expectPrediction('euler', prediction, sigmas.map(levelAtRatio))

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      expectStep('euler', timesteps.length, input, false)
      const [sigma, next] = [sigmas[index]!, sigmas[index + 1]!]
      const level = levelAtRatio(sigma)
      const { denoised } = readPrediction(prediction, x.mul(level.alpha), output, level)
      // The second form: at zero terminal SNR, sigma is 4096 and the first loses five digits to cancellation.
      const d = x.sub(denoised).div(sigma)
      return { x: denoised.add<tf.Tensor4D>(d.mul(next)), denoised, history: [] }
    })

  return Object.freeze({
    name: 'euler',
    steps,
    timesteps: Object.freeze(timesteps),
    prediction,
    alphasCumprod: alphas,
    stochastic: false,
    ...varianceExploding('euler', sigmas, spacing),
    step,
  })
}
