/**
 * CLIP, the VAE and the UNet, assembled from `nn` by a literal config.
 *
 * @packageDocumentation
 */
export { type Clip, type ClipParts, clip, clipShapes } from './clip/clip.js'
export { type ClipOptions, clipPixels } from './clip/clip-pixels.js'
export type { ClipLayerParameters, EmbeddingParameters } from './clip/layers.js'
export { loadClip } from './clip/load-clip.js'
export { encodeText, type TextEncoderParameters, textEncoderShapes } from './clip/text-encoder.js'
export {
  encodeVision,
  type VisionEncoderParameters,
  visionEncoderShapes,
} from './clip/vision-encoder.js'
export { type ClipConfig, clipConfig, type VisionEncoderConfig } from './config/clip.js'
export {
  type AutoencoderConfig,
  autoencoderConfig,
  type DownBlockType,
  type SchedulerConfig,
  schedulerConfig,
  type TextEncoderConfig,
  textEncoderConfig,
  type UNetConfig,
  type UpBlockType,
  unetConfig,
} from './config.js'
export {
  estimateMemory,
  type MemoryConfigs,
  type MemoryEstimate,
  type MemoryStage,
  type MemoryTask,
} from './memory/estimate-memory.js'
export { publishedModels } from './memory/published.js'
export type { ParameterShapes } from './shapes.js'
export { type LoadOptions, loadStableDiffusion } from './stable-diffusion/load.js'
export { type SaveOptions, saveStableDiffusion, type TokenizerFiles } from './stable-diffusion/save.js'
export {
  type StableDiffusion,
  type StableDiffusionConfigs,
  type StableDiffusionParts,
  type StableDiffusionWeights,
  stableDiffusion,
} from './stable-diffusion/stable-diffusion.js'
export { type PromptMemory, promptMemory } from './unet/prompt-memory.js'
export { unetShapes } from './unet/shapes.js'
export type { TransformerParameters } from './unet/transformer.js'
export { type UNetBlockParameters, type UNetInput, type UNetParameters, unet } from './unet/unet.js'
export { decodeLarge, encodeMean, type VaeMemoryOptions } from './vae/memory.js'
export type {
  AutoencoderArmParameters,
  AutoencoderAttentionParameters,
  AutoencoderBlockParameters,
  AutoencoderDecoderParameters,
  AutoencoderEncoderParameters,
  AutoencoderMidParameters,
  AutoencoderParameters,
} from './vae/parameters.js'
export { autoencoderShapes } from './vae/shapes.js'
export { decode, encode, type Posterior, samplePosterior } from './vae/vae.js'
