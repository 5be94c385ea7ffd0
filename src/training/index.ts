/**
 * Loops that fit the autoencoder, the text encoder and the denoiser to captioned images.
 *
 * @packageDocumentation
 */
export { type AdamWOptions, type AdamWState, type AdamWUpdate, adamW, adamWState } from './adamw.js'
export { type AutoencoderFitOptions, fitAutoencoder } from './autoencoder.js'
export { conditioningRatio } from './conditioning-ratio.js'
export { type DenoisingBatch, denoisingLoss } from './denoising-loss.js'
export {
  type CaptionedLatents,
  type DiffusionBatch,
  type DiffusionFitOptions,
  type DiffusionTraining,
  diffusionLoss,
  fitDiffusion,
  joinParameters,
  splitParameters,
} from './diffusion.js'
export { drawIntegers, drawNormal } from './draw.js'
export { average } from './ema.js'
export { type FitOptions, fit, learningRateAt, type Objective } from './fit.js'
export { clipByNorm, differentiate, globalNorm, type LossAndGradients } from './gradients.js'
export { adamWByGroup, type ParameterGroup } from './groups.js'
export {
  fitHvae,
  type HvaeBatch,
  type HvaeData,
  type HvaeFitOptions,
  hvaeFitDefaults,
  hvaeLoss,
  inOrder,
  latentNoise,
} from './hvae.js'
export {
  type CounterfactualFitOptions,
  type CounterfactualParts,
  type CounterfactualReaders,
  fitCounterfactual,
  LAGRANGE,
} from './hvae-counterfactual.js'
export { type HvaeInitialOptions, initialHvae } from './hvae-initialize.js'
export { fitPredictors, initialPredictors, type PredictorData } from './hvae-predictors.js'
export { initialParameters } from './initialize.js'
export { fitMechanisms, type MechanismFitOptions } from './scm-attributes.js'
export {
  type CurvePoint,
  disposeTrainingState,
  readTrainingState,
  type TrainingState,
  trainingState,
  writeTrainingState,
} from './state.js'
