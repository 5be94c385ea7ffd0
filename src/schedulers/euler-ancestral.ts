import * as tf from '@tensorflow/tfjs'
import { expectPrediction, expectStep, type SchedulerOptions } from './common.js'
import { levelAtRatio, readPrediction } from './predictions.js'
import { eulerTimesteps, interpolate, ratioTable, withFinal } from './ratios.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { varianceExploding } from './variance-exploding.js'

/** Options of {@link eulerAncestral}. Spacing is `'linspace'` unless said otherwise: its timesteps are fractional. */
export type EulerAncestralOptions = SchedulerOptions

/**
 * Euler steps with ancestral noise (`sample_euler_ancestral` of k-diffusion). Latents are `x0 + sigma z`, so call
 * the network with {@link Scheduler.scaleInput}.
 *
 * ```text
 * up   = sqrt(sigma'² (sigma² - sigma'²) / sigma²)
 * down = sqrt(sigma'² - up²)
 * x'   = x0 + down (x - x0) / sigma + up z
 * ```
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function eulerAncestral(options: EulerAncestralOptions): Scheduler {
  const { steps, prediction = 'epsilon', spacing = 'linspace' } = options
  const alphas = cumulativeAlphas(options)
  const table = ratioTable(alphas)
  const timesteps = eulerTimesteps(alphas.length, options, 'eulerAncestral')
  const sigmas = withFinal(
    timesteps.map((t) => interpolate(table, t)),
    'zero',
    table,
  )
  expectPrediction('eulerAncestral', prediction, sigmas.map(levelAtRatio))

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      const z = expectStep('eulerAncestral', timesteps.length, input, true)
      const [sigma, next] = [sigmas[index]!, sigmas[index + 1]!]
      const level = levelAtRatio(sigma)
      const { denoised } = readPrediction(prediction, x.mul(level.alpha), output, level)
      const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2)
      const down = Math.sqrt(next ** 2 - up ** 2)
      const d = x.sub(denoised).div(sigma)
      return { x: denoised.add(d.mul(down)).add<tf.Tensor4D>(z.mul(up)), denoised, history: [] }
    })

  return Object.freeze({
    name: 'euler-ancestral',
    steps,
    timesteps,
    prediction,
    alphasCumprod: alphas,
    stochastic: true,
    ...varianceExploding('eulerAncestral', sigmas, spacing),
    step,
  })
}
