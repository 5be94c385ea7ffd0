import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../core/index.js'
import { type ClampOptions, clampOf } from './clamp.js'
import { expectPrediction, expectStep, type SchedulerOptions, variancePreserving } from './common.js'
import { diffuse, levelAt, readPrediction } from './predictions.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { spacedTimesteps } from './spacing.js'

/** Options of {@link ddimInverse}. Spacing is `'leading'` or `'trailing'`; `'leading'` unless said otherwise. */
export interface DdimInverseOptions extends SchedulerOptions, Pick<ClampOptions, 'clipSample'> {
  /** The first step starts at pure signal (true) or at the first training timestep (false); as in the sampler. */
  readonly setAlphaToOne?: boolean
}

/**
 * DDIM run from the image to noise, in the form of diffusers' `DDIMInverseScheduler` since version 0.22.
 *
 * One step from t' = t - floor(T / N) up to t, with a' and a their cumulative alphas:
 *
 * ```text
 * x0 = (x' - sqrt(1 - a') e) / sqrt(a')
 * x  = sqrt(a) x0 + sqrt(1 - a) e
 * ```
 *
 * The network is called with the *target* timestep t on latents that are at t', as prompt-to-prompt does.
 * It is not the exact inverse of sampling (no explicit form is); to invert images for editing, see the inverters
 * of `contrafact/inversion`, which use the `invert` of {@link ddim}. For v predictions the two differ: here v is
 * read at t', there the step's own line is solved for x.
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function ddimInverse(options: DdimInverseOptions): Scheduler {
  const {
    steps,
    prediction = 'epsilon',
    spacing = 'leading',
    stepsOffset = 1,
    setAlphaToOne = false,
  } = options
  if (spacing === 'linspace') {
    throw new ArgumentError({
      rule: "ddimInverse needs spacing 'leading' or 'trailing'",
      got: "'linspace'",
      mend: 'Use the spacing of the sampler that the path is for.',
    })
  }
  const alphas = cumulativeAlphas(options)
  const timesteps = spacedTimesteps(spacing, alphas.length, steps, stepsOffset, 'ddimInverse').toReversed()
  const stride = Math.floor(alphas.length / steps)
  const clamp = clampOf(options, 'ddimInverse')
  const to = timesteps.map((t) => levelAt(alphas[t]!))
  const from = timesteps.map((t) =>
    levelAt(t >= stride ? alphas[t - stride]! : setAlphaToOne ? 1 : alphas[0]!),
  )
  expectPrediction('ddimInverse', prediction, from)

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index } = input
      expectStep('ddimInverse', timesteps.length, input, false)
      const { denoised, noise } = readPrediction(prediction, x, output, from[index]!)
      const x0 = clamp ? clamp(denoised) : denoised
      return { x: diffuse(x0, noise, to[index]!), denoised: x0, history: [] }
    })

  return Object.freeze({
    name: 'ddim-inverse',
    steps,
    timesteps: Object.freeze(timesteps),
    prediction,
    alphasCumprod: alphas,
    stochastic: false,
    ...variancePreserving('ddimInverse', from),
    step,
  })
}
