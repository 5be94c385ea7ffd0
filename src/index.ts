/**
 * The front door: the names that a first program needs. Every room has more, under its own sub-path.
 *
 * @packageDocumentation
 */
export { type BackendChoice, type BackendName, useBackend } from './backend/index.js'
export {
  AbortError,
  ArgumentError,
  AttentionError,
  BackendError,
  CheckpointError,
  ContrafactError,
  ImageError,
  MemoryBudgetError,
  NumericError,
  type Progress,
  type RunOptions,
  ShapeError,
} from './core/index.js'
export { imageToImage, promptToPrompt, textToImage } from './editing/index.js'
export { readImage, writeImage } from './image/index.js'
export { disposeInversion, type Inversion, nullText, pivotPinned, reconstruct } from './inversion/index.js'
export { loadStableDiffusion, type StableDiffusion } from './models/index.js'
