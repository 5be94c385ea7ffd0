import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber } from '../core/index.js'
import { type ClampOptions, clampOf } from './clamp.js'
import { expectPrediction, expectStep, type SchedulerOptions, variancePreserving } from './common.js'
import { type Level, levelAtRatio, readPrediction } from './predictions.js'
import { type FinalSigma, karrasRatios, type RatioPath, ratioTable, timestepOf, withFinal } from './ratios.js'
import { cumulativeAlphas } from './schedule.js'
import type { Scheduler, StepInput } from './scheduler.js'
import { expectInTable, linspace, roundHalfEven, trailing } from './spacing.js'

/** Options of {@link dpmSolverPlusPlus}. Spacing is `'linspace'` unless said otherwise. */
export interface DpmSolverOptions extends SchedulerOptions, Pick<ClampOptions, 'thresholding'> {
  /** 1 or 2, the number of evaluations a step looks back on; 2. */
  readonly order?: 1 | 2
  /** Adds noise at each step (SDE-DPM-Solver++); false. */
  readonly sde?: boolean
  /** Spaces the noise levels as Karras et al. 2022, Eq. 5, over the whole schedule; false. */
  readonly karras?: boolean
  /** Where the last step ends; `'zero'`. */
  readonly finalSigma?: FinalSigma
  /** Takes the last step at first order when there are fewer than 15; true. It always is when `finalSigma` is `'zero'`. */
  readonly lowerOrderFinal?: boolean
}

/**
 * DPM-Solver++ (Lu et al. 2022, Algorithm 2: multistep, second order, midpoint), and its SDE form.
 *
 * With `lambda = ln(alpha / sigma)`, `h = lambda' - lambda`, m the estimate of the clean latents, m1 the one before
 * it and r = h1 / h:
 *
 * ```text
 * D   = m + (m - m1) / (2 r)              first order: D = m
 * ODE: x' = sigma' / sigma x + alpha' (1 - exp(-h)) D
 * SDE: x' = sigma' / sigma exp(-h) x + alpha' (1 - exp(-2h)) D + sigma' sqrt(1 - exp(-2h)) z
 * ```
 *
 * The history is m. A start without history takes a first-order step.
 *
 * @param options - `steps`, and whatever differs from Stable Diffusion
 * @throws ArgumentError on options outside their domain
 */
export function dpmSolverPlusPlus(options: DpmSolverOptions): Scheduler {
  const { steps, prediction = 'epsilon', order = 2, sde = false } = options
  const { finalSigma = 'zero', lowerOrderFinal = true } = options
  expectNumber(order, { integer: true, min: 1, max: 2 }, 'dpmSolverPlusPlus', 'order')
  const alphas = cumulativeAlphas(options)
  const { timesteps, ratios } = ratioPath(alphas, options)
  const levels = ratios.map(levelAtRatio)
  const clamp = clampOf(options, 'dpmSolverPlusPlus')
  expectPrediction('dpmSolverPlusPlus', prediction, levels)

  const last = timesteps.length - 1
  const endsAtFirstOrder = finalSigma === 'zero' || (lowerOrderFinal && timesteps.length < 15)

  const step = (input: StepInput) =>
    tf.tidy(() => {
      const { x, output, index, history } = input
      const z = expectStep('dpmSolverPlusPlus', timesteps.length, input, sde)
      const [now, next] = [levels[index]!, levels[index + 1]!]
      const { denoised } = readPrediction(prediction, x, output, now)
      const m = clamp ? clamp(denoised) : denoised
      const h = lambda(next) - lambda(now)

      const m1 = order === 2 && index > 0 && !(index === last && endsAtFirstOrder) ? history?.[0] : undefined
      const r = m1 && (lambda(now) - lambda(levels[index - 1]!)) / h
      const D = m1 && r ? m.add(m.sub(m1).mul(0.5 / r)) : m

      const shrink = (next.sigma / now.sigma) * (sde ? Math.exp(-h) : 1)
      const gain = next.alpha * (1 - Math.exp(sde ? -2 * h : -h))
      const spread = sde ? next.sigma * Math.sqrt(1 - Math.exp(-2 * h)) : 0
      const x1 = x.mul(shrink).add(D.mul(gain)).add<tf.Tensor4D>(z.mul(spread))
      return { x: x1, denoised: m, history: [m.clone()] }
    })

  return Object.freeze({
    name: 'dpm-solver++',
    steps,
    timesteps,
    prediction,
    alphasCumprod: alphas,
    stochastic: sde,
    ...variancePreserving('dpmSolverPlusPlus', levels.slice(0, -1)),
    step,
  })
}

function lambda({ alpha, sigma }: Level): number {
  return Math.log(alpha / sigma)
}

// Unlike DDIM's, these timesteps are N of N + 1 places, the last of which is the end of the final step.
function ratioPath(alphas: Float32Array, options: DpmSolverOptions): RatioPath {
  const { steps, spacing = 'linspace', stepsOffset = 1, karras = false, finalSigma = 'zero' } = options
  const trainSteps = alphas.length
  expectNumber(steps, { integer: true, min: 1, max: trainSteps }, 'dpmSolverPlusPlus', 'steps')
  expectNumber(stepsOffset, { integer: true, min: 0 }, 'dpmSolverPlusPlus', 'stepsOffset')
  const table = ratioTable(alphas)
  const finish = (timesteps: readonly number[], ratios: readonly number[]) => ({
    timesteps: expectInTable(timesteps, trainSteps, 'dpmSolverPlusPlus'),
    ratios: withFinal(expectFalling(ratios), finalSigma, table),
  })
  if (karras) {
    const ratios = karrasRatios(table.at(-1)!, table[0]!, steps)
    const round = options.betaSchedule === 'squaredcos_cap_v2' ? Math.floor : roundHalfEven
    return finish(
      ratios.map((ratio) => round(timestepOf(ratio, table))),
      ratios,
    )
  }
  const timesteps = placesOf()
  return finish(
    timesteps,
    timesteps.map((t) => table[t]!),
  )

  function placesOf(): readonly number[] {
    switch (spacing) {
      case 'linspace':
        return linspace(trainSteps - 1, steps + 1)
          .slice(0, -1)
          .map(roundHalfEven)
      case 'leading': {
        const stride = Math.floor(trainSteps / (steps + 1))
        return Array.from({ length: steps }, (_, i) => (steps - i) * stride + stepsOffset)
      }
      case 'trailing':
        return trailing(trainSteps, steps)
      default:
        throw new ArgumentError({
          rule: "dpmSolverPlusPlus needs spacing 'leading', 'trailing' or 'linspace'",
          got: String(spacing),
          mend: "Leave it out for 'linspace'.",
        })
    }
  }
}

function expectFalling(ratios: readonly number[]): readonly number[] {
  const stuck = ratios.findIndex((ratio, i) => i > 0 && ratio >= ratios[i - 1]!)
  if (stuck === -1) return ratios
  throw new ArgumentError({
    rule: 'dpmSolverPlusPlus needs a different noise level at every step',
    got: `equal levels at steps ${stuck - 1} and ${stuck} of ${ratios.length}`,
    mend: 'Ask for fewer steps than training timesteps.',
  })
}
