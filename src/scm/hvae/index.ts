export {
  abductLatents,
  counterfactualMediators,
  type HvaeAbductOptions,
  type MediatorOptions,
} from './abduct.js'
export {
  biasStages,
  type DecoderStage,
  type EncoderStage,
  encoderResolutions,
  parseDecoder,
  parseEncoder,
} from './architecture.js'
export { type HvaeBlockOptions, hvaeBlock } from './block.js'
export { type HvaePreset, hvaeConfig, hvaePresets } from './config.js'
export {
  type HvaeCounterfactual,
  type HvaeCounterfactualOptions,
  type HvaeEffect,
  hvaeCounterfactual,
  particle,
} from './counterfactual.js'
export { type HvaeDecoded, type HvaeDecodeOptions, type HvaeLevel, hvaeDecode } from './decoder.js'
export { type HvaeElbo, hvaeElbo } from './elbo.js'
export { type HvaeActivations, hvaeEncode } from './encoder.js'
export { type DrawNoise, type Gaussian, gaussianKl, sampleGaussian } from './gaussian.js'
export { type Hvae, hvae, hvaeLatentShapes, toSigned } from './hvae.js'
export { hvaeNll, hvaePixels, type PixelGaussian } from './likelihood.js'
export { type LoadedHvae, loadHvae, saveHvae } from './load.js'
export { type HvaeMechanismOptions, hvaeMechanism, torchNoise } from './mechanism.js'
export type {
  HvaeBlockParameters,
  HvaeDecoderBlockParameters,
  HvaeDecoderParameters,
  HvaeEncoderParameters,
  HvaeLikelihoodParameters,
  HvaeParameters,
} from './parameters.js'
export { abductResidual, pixelsOfLatents, replayResidual } from './predict.js'
export {
  type PredictorConfig,
  type PredictorHead,
  predictorNll,
  predictorShapes,
  readAttributes,
} from './predictor.js'
export type { HvaeConfig } from './settings.js'
export { hvaeShapes, idleParameters } from './shapes.js'
