import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, expectShape } from '../core/index.js'
import { type ClampOptions, clampOf } from './clamp.js'
import {
  expectIndex,
  expectPrediction,
  expectStep,
  type SchedulerOptions,
  variancePreserving,
} from './common.js'
import { levelAt, readPrediction } from './predictions.js'
import { cumulativeAlphas } from './schedule.js'
import type { InvertibleScheduler, Prediction, Scheduler, StepInput } from './scheduler.js'
import { spacedTimesteps } from './spacing.js'

/** Options of {@link ddim}. Spacing is `'leading'` unless said otherwise. */
export interface DdimOptions extends SchedulerOptions, ClampOptions {
  /** Noise added at each step, from 0 (deterministic) to 1 (the variance of DDPM); 0. */
  readonly eta?: number
  /** The last step ends at pure signal (true) or at the first training timestep (false, as Stable Diffusion does). */
  readonly setAlphaToOne?: boolean
}

/** Options under which DDIM is a line in x that can be walked both ways: no noise, no bounds. */
export interface InvertibleDdimOptions extends DdimOptions {
  readonly eta?: 0
  readonly clipSample?: false
  readonly thresholding?: false
}

/**
 * Denoising diffusion implicit models (Song, Meng & Ermon 2021).
 *
 * One step from timestep t to t' = t - floor(T / N), with a and a' their cumulative alphas (Eq. 12):
 *
 * ```text
 * x0    = (x - sqrt(1 - a) e) / sqrt(a)
 * sigma = eta sqrt((1 - a') / (1 - a)) sqrt(1 - a / a')
 * x'    = sqrt(a') x0 + sqrt(1 - a' - sigma²) e + sigma z
 * ```
 *
 * With `eta` 0 and no bounds on x0 the result is an {@link InvertibleScheduler}.
 *
 * ```ts
 * const scheduler = ddim({ steps: 50 })
 * scheduler.timesteps // 981, 961, ... 1
 * ```
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function ddim(options: InvertibleDdimOptions): InvertibleScheduler
export function ddim(options: DdimOptions): Scheduler
export function ddim(options: DdimOptions): Scheduler {
  const { steps, prediction = 'epsilon', spacing = 'leading', stepsOffset = 1 } = options
  const { eta = 0, setAlphaToOne = false } = options
  expectNumber(eta, { min: 0, max: 1 }, 'ddim', 'eta')
  const alphas = cumulativeAlphas(options)
  const timesteps = spacedTimesteps(spacing, alphas.length, steps, stepsOffset, 'ddim')
  const stride = Math.floor(alphas.length / steps)
  const clamp = clampOf(options, 'ddim')

  // The cumulative alphas before and after each step.
  const from = timesteps.map((t) => alphas[t]!)
  const to = timesteps.map((t) => (t >= stride ? alphas[t - stride]! : setAlphaToOne ? 1 : alphas[0]!))
  expectPrediction('ddim', prediction, from.map(levelAt))

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      const z = expectStep('ddim', timesteps.length, input, eta > 0)
      const [a, a1] = [from[index]!, to[index]!]
      const { denoised, noise: e } = readPrediction(prediction, x, output, levelAt(a))
      const x0 = clamp ? clamp(denoised) : denoised
      const sigma = eta * Math.sqrt(((1 - a1) / (1 - a)) * (1 - a / a1))
      const direction = e.mul(Math.sqrt(1 - a1 - sigma ** 2))
      return {
        x: x0.mul(Math.sqrt(a1)).add<tf.Tensor4D>(direction).add<tf.Tensor4D>(z.mul(sigma)),
        denoised: x0,
        history: [],
      }
    })

  // The same line solved for x with the output held: x' = keep x + add output.
  const invert = (input: Parameters<InvertibleScheduler['invert']>[0]) =>
    tf.tidy(() => {
      const { x, output, index } = input
      expectIndex('ddim', 'invert', index, timesteps.length)
      expectShape(output, x.shape, 'ddim.invert', 'output')
      const { keep, add } = lineOf(prediction, from[index]!, to[index]!)
      if (keep === 0) throw new ArgumentError(forgetful(index))
      return x.sub(output.mul(add)).div<tf.Tensor4D>(keep)
    })

  const scheduler: Scheduler = {
    name: 'ddim',
    steps,
    timesteps,
    prediction,
    alphasCumprod: alphas,
    stochastic: eta > 0,
    ...variancePreserving('ddim', from.map(levelAt)),
    step,
  }
  const invertible = eta === 0 && clamp === undefined
  return Object.freeze(invertible ? { ...scheduler, invert } : scheduler)
}

// x0 and e are linear in x and the output, so the deterministic step is x' = keep x + add output.
function lineOf(prediction: Prediction, a: number, a1: number): { keep: number; add: number } {
  const [{ alpha, sigma }, { alpha: alpha1, sigma: sigma1 }] = [levelAt(a), levelAt(a1)]
  switch (prediction) {
    case 'epsilon':
      return { keep: alpha1 / alpha, add: sigma1 - (alpha1 * sigma) / alpha }
    case 'v':
      return { keep: alpha1 * alpha + sigma1 * sigma, add: sigma1 * alpha - alpha1 * sigma }
    case 'sample':
      return { keep: sigma1 / sigma, add: alpha1 - (sigma1 * alpha) / sigma }
  }
}

function forgetful(index: number) {
  return {
    rule: 'ddim.invert needs a step whose result still depends on x',
    got: `step ${index}, which returns the predicted sample alone`,
    mend: 'Leave setAlphaToOne off.',
  }
}
