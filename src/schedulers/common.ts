import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, expectShape } from '../core/index.js'
import { diffuse, type Level } from './predictions.js'
import type { NoiseScheduleOptions } from './schedule.js'
import type { Prediction, StepInput } from './scheduler.js'
import type { SpacingOptions } from './spacing.js'

/** What every method accepts. The defaults are those of Stable Diffusion 1 and 2. */
export interface SchedulerOptions extends NoiseScheduleOptions, SpacingOptions {
  /** What the network was trained to predict; `'epsilon'`. Stable Diffusion 2.1 (768) predicts `'v'`. */
  readonly prediction?: Prediction
}

/**
 * The members of methods whose latents keep unit variance: the start is standard normal, the network sees the
 * latents as they are.
 *
 * @param name - the method, named in errors
 * @param levels - signal and noise of the latents before each step
 */
export function variancePreserving(name: string, levels: readonly Level[]) {
  return {
    initialNoiseScale: 1,
    scaleInput(x: Tensor4D, index: number): Tensor4D {
      expectIndex(name, 'scaleInput', index, levels.length)
      return x.clone()
    },
    addNoise(clean: Tensor4D, noise: Tensor4D, index: number): Tensor4D {
      expectIndex(name, 'addNoise', index, levels.length)
      expectShape(noise, clean.shape, `${name}.addNoise`, 'noise')
      return diffuse(clean, noise, levels[index]!)
    },
  }
}

/**
 * Checks one step's input and hands out its noise.
 *
 * @param name - the method, named in errors
 * @param count - the number of timesteps
 * @param input - as the caller gave it
 * @param stochastic - whether this step adds noise
 * @returns the noise to add, or zero
 * @throws ArgumentError on an index outside the schedule or missing noise, ShapeError on unequal shapes
 */
export function expectStep(
  name: string,
  count: number,
  input: StepInput,
  stochastic: boolean,
): Tensor4D | tf.Scalar {
  const { x, output, index, noise } = input
  expectIndex(name, 'step', index, count)
  expectShape(x, [null, null, null, null], `${name}.step`, 'x')
  expectShape(output, x.shape, `${name}.step`, 'output')
  if (!stochastic) return tf.scalar(0)
  if (noise === undefined) {
    throw new ArgumentError({
      rule: `${name}.step needs noise: the method is stochastic`,
      got: `no noise at index ${index}`,
      mend: 'Pass standard normal noise of the shape of x, e.g. latentNoise(seed)(x.shape).',
    })
  }
  expectShape(noise, x.shape, `${name}.step`, 'noise')
  return noise
}

/** Throws ArgumentError unless `index` names one of `count` steps. */
export function expectIndex(name: string, method: string, index: number, count: number): void {
  expectNumber(index, { integer: true, min: 0, max: count - 1 }, `${name}.${method}`, 'index')
}

/**
 * Throws ArgumentError unless the method can read this prediction at every level it visits.
 *
 * @param name - the method, named in errors
 * @param prediction - as the caller gave it
 * @param levels - every level at which the prediction is read
 * @param readable - the kinds that the method knows
 */
export function expectPrediction(
  name: string,
  prediction: Prediction,
  levels: readonly Level[],
  readable: readonly Prediction[] = ['epsilon', 'v', 'sample'],
): void {
  if (!readable.includes(prediction)) {
    throw new ArgumentError({
      rule: `${name} reads predictions of kind ${readable.map((kind) => `'${kind}'`).join(', ')}`,
      got: String(prediction),
      mend: 'It is prediction_type in scheduler_config.json; v_prediction is called v here.',
    })
  }
  if (prediction === 'epsilon' && levels.some(({ alpha }) => alpha === 0)) {
    throw new ArgumentError({
      rule: `${name} cannot find the signal in an epsilon prediction where the latents hold none`,
      got: 'zeroTerminalSnr with a step at the last training timestep',
      mend: "Zero terminal SNR is for networks trained on 'v' or 'sample'.",
    })
  }
}
