import * as tf from '@tensorflow/tfjs'
import { type ClampOptions, clampOf } from './clamp.js'
import { expectPrediction, expectStep, type SchedulerOptions, variancePreserving } from './common.js'
import { levelAt, readPrediction } from './predictions.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { spacedTimesteps } from './spacing.js'

/** Options of {@link ddpm}. Spacing is `'leading'` unless said otherwise. */
export interface DdpmOptions extends SchedulerOptions, ClampOptions {
  /** The variance of the added noise: `'small'` is the posterior's (the default), `'large'` is beta's. */
  readonly variance?: 'small' | 'large'
}

/**
 * Denoising diffusion probabilistic models (Ho, Jain & Abbeel 2020): ancestral sampling.
 *
 * One step from t to the next timestep t' of the list, with a and a' their cumulative alphas and b = 1 - a / a'
 * (Eq. 6, 7; at the end a' = 1):
 *
 * ```text
 * x' = sqrt(a') b / (1 - a) x0 + sqrt(a / a') (1 - a') / (1 - a) x + sqrt(b (1 - a') / (1 - a)) z
 * ```
 *
 * No noise is added at timestep 0; the input may be left out there.
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function ddpm(options: DdpmOptions): Scheduler {
  const { steps, prediction = 'epsilon', spacing = 'leading', stepsOffset = 1, variance = 'small' } = options
  const alphas = cumulativeAlphas(options)
  const timesteps = spacedTimesteps(spacing, alphas.length, steps, stepsOffset, 'ddpm')
  const clamp = clampOf(options, 'ddpm')
  const from = timesteps.map((t) => alphas[t]!)
  const to = [...from.slice(1), 1]
  expectPrediction('ddpm', prediction, from.map(levelAt))

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      const z = expectStep('ddpm', timesteps.length, input, (timesteps[index] ?? 1) > 0)
      const [a, a1] = [from[index]!, to[index]!]
      const b = 1 - a / a1
      const { denoised } = readPrediction(prediction, x, output, levelAt(a))
      const x0 = clamp ? clamp(denoised) : denoised
      const mean = x0.mul((Math.sqrt(a1) * b) / (1 - a)).add(x.mul((Math.sqrt(a / a1) * (1 - a1)) / (1 - a)))
      const spread = Math.sqrt(variance === 'large' ? b : Math.max((b * (1 - a1)) / (1 - a), 1e-20))
      return { x: mean.add<tf.Tensor4D>(z.mul(spread)), denoised: x0, history: [] }
    })

  return Object.freeze({
    name: 'ddpm',
    steps,
    timesteps,
    prediction,
    alphasCumprod: alphas,
    stochastic: true,
    ...variancePreserving('ddpm', from.map(levelAt)),
    step,
  })
}
