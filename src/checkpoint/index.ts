/**
 * Bytes to named tensors: safetensors, diffusers folders, the Hugging Face Hub.
 *
 * @packageDocumentation
 */
export { type ModelComponent, type ModelFolder, openModelFolder, readComponentConfig } from './folder.js'
export { decodeBfloat16, decodeFloat16, encodeFloat16 } from './half.js'
export { type DownloadedModel, type DownloadOptions, downloadModel } from './hub.js'
export { hubCacheFolder } from './hub-cache.js'
export type { HubSelection } from './hub-files.js'
export { type LoadedTensor, loadTensors } from './load-tensors.js'
export {
  type LoadedParameters,
  type LoadParametersOptions,
  loadParameters,
  type Parameter,
} from './parameters.js'
export { fileExists, folderExists } from './paths.js'
export { resolveModel } from './resolve-model.js'
export type { SafetensorsDtype } from './safetensors-dtypes.js'
export {
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from './safetensors-header.js'
export {
  decodeSafetensors,
  openSafetensors,
  type ReadingRoom,
  readingRoom,
  type SafetensorsFile,
  type TensorPlace,
  type TensorValues,
} from './safetensors-read.js'
export {
  encodeSafetensors,
  type WritableTensor,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from './safetensors-write.js'
export { readJson, readJsonObject, readText, writeJson } from './text-files.js'
export { type ComponentWeights, type OpenWeightsOptions, openWeights } from './weights.js'
