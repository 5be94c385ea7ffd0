import * as tf from '@tensorflow/tfjs'
import { expectNumber } from '../core/index.js'
import { type ClampOptions, clampOf } from './clamp.js'
import { expectPrediction, expectStep, type SchedulerOptions, variancePreserving } from './common.js'
import { diffuse, levelAt, readPrediction } from './predictions.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'

/** Options of {@link lcm}; the timesteps are those of the distillation, so there is no spacing to choose. */
export interface LcmOptions extends Omit<SchedulerOptions, 'spacing' | 'stepsOffset'>, ClampOptions {
  /** Number of timesteps that the network was distilled on, at least `steps`; 50. */
  readonly originalSteps?: number
  /** Scale of the timestep in the boundary condition; 10. */
  readonly timestepScaling?: number
}

/**
 * Multistep consistency sampling of latent consistency models (Luo et al. 2023, Algorithm 3).
 *
 * With s = `timestepScaling` t and a' the cumulative alpha of the next timestep:
 *
 * ```text
 * f  = 0.25 / (s² + 0.25) x + s / sqrt(s² + 0.25) x0     the consistency function, Eq. 9
 * x' = sqrt(a') f + sqrt(1 - a') z                         the last step: x' = f
 * ```
 *
 * The last step adds no noise; the input may be left out there. `denoised` is f.
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function lcm(options: LcmOptions): Scheduler {
  const { steps, prediction = 'epsilon', originalSteps = 50, timestepScaling = 10 } = options
  const alphas = cumulativeAlphas(options)
  expectNumber(originalSteps, { integer: true, min: 1, max: alphas.length }, 'lcm', 'originalSteps')
  expectNumber(steps, { integer: true, min: 1, max: originalSteps }, 'lcm', 'steps')
  expectNumber(timestepScaling, { min: 0 }, 'lcm', 'timestepScaling')
  const timesteps = distilledTimesteps(alphas.length, originalSteps, steps)
  const levels = timesteps.map((t) => levelAt(alphas[t]!))
  const clamp = clampOf(options, 'lcm')
  expectPrediction('lcm', prediction, levels)

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      const next = levels[index + 1]
      const z = expectStep('lcm', timesteps.length, input, next !== undefined)
      const { denoised } = readPrediction(prediction, x, output, levels[index]!)
      const x0 = clamp ? clamp(denoised) : denoised
      const s = timestepScaling * timesteps[index]!
      const f = x0.mul(s / Math.sqrt(s ** 2 + 0.25)).add<tf.Tensor4D>(x.mul(0.25 / (s ** 2 + 0.25)))
      return { x: next ? diffuse(f, z as tf.Tensor4D, next) : f.clone(), denoised: f, history: [] }
    })

  return Object.freeze({
    name: 'lcm',
    steps,
    timesteps,
    prediction,
    alphasCumprod: alphas,
    stochastic: true,
    ...variancePreserving('lcm', levels),
    step,
  })
}

// N evenly chosen of the distillation's timesteps, the noisiest first.
function distilledTimesteps(trainSteps: number, originalSteps: number, steps: number): readonly number[] {
  const stride = Math.floor(trainSteps / originalSteps)
  const chosen = (k: number) => Math.floor(k * (originalSteps / steps))
  return Object.freeze(Array.from({ length: steps }, (_, k) => (originalSteps - chosen(k)) * stride - 1))
}
