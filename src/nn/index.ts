/**
 * Layers as pure functions of `(parameters, x)`, channels-last.
 *
 * @packageDocumentation
 */
export { geglu, gelu, quickGelu, relu, silu } from './activations.js'
export { type AttentionOptions, attention } from './attention.js'
export { attentionBlockBytes } from './attention-blocks.js'
export { type ConvOptions, conv2d, conv2dPlus } from './conv2d.js'
export { groupNorm, groupNormSilu } from './group-norm.js'
export { layerNorm, layerNormEpsilon } from './layer-norm.js'
export { linear, linearPlus } from './linear.js'
export {
  type ConvParameters,
  type LinearParameters,
  type NamedParameters,
  type NormParameters,
  type ParameterTree,
  parameterTree,
} from './parameters.js'
export { downsample, type ResampleParameters, upsample } from './resample.js'
export { type LevelsDialect, resizeLevels } from './resize-levels.js'
export { type GroupNormOptions, type ResnetBlockParameters, resnetBlock } from './resnet-block.js'
export { type SeparableKernel, separableResize } from './separable-resize.js'
export { timestepEmbedding } from './timestep-embedding.js'
export { fromTorch, fromTorchFile, type StoredParameter, toTorch } from './torch-layout.js'
export {
  type AttentionParameters,
  type BlockControl,
  type KeysAndValues,
  keysAndValues,
  type TransformerBlockParameters,
  transformerBlock,
} from './transformer-block.js'
