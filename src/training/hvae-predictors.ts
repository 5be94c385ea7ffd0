import type * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import { type PredictorConfig, predictorNll, predictorShapes, type Values } from '../scm/index.js'
import { type FitOptions, fit } from './fit.js'
import { initialParameters } from './initialize.js'
import type { TrainingState } from './state.js'

/** Pictures and their attributes. */
export interface PredictorData {
  /** `[batch, height, width, channels]` in [0, 1] */
  readonly x: tf.Tensor4D
  /** `[batch, width]` by attribute. */
  readonly values: Values
}

/** Fresh weights of an anticausal predictor; owned by the caller. */
export function initialPredictors(config: PredictorConfig, seed: number): NamedParameters {
  return initialParameters(predictorShapes(config), seed)
}

/**
 * Fits anticausal predictors, `−Σ log q(pa_k | x)`: the readers that counterfactual fine-tuning and effectiveness
 * need.
 *
 * @param initial - borrowed
 * @param data - a batch for a step; freed after it
 * @returns the final state, owned by the caller
 */
export function fitPredictors(
  config: PredictorConfig,
  initial: NamedParameters,
  data: (step: number, random: TorchRandom) => PredictorData,
  options: FitOptions,
): Promise<TrainingState> {
  return fit(
    initial,
    {
      batch: (step, random) => data(step, random) as PredictorData & { [key: string]: tf.TensorContainer },
      loss: (named, { x, values }) => predictorNll(named, config, x, values),
    },
    options,
  )
}
