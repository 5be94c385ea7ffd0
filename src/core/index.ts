/**
 * What every room speaks: errors, shape checks, seeded noise, owned scopes, progress and abort, and the few
 * shapes that everything shares.
 *
 * @packageDocumentation
 */

export { writeAtomically } from './atomic.js'
export {
  type ContextOrigin,
  contextOrigins,
  contextRows,
  joinContexts,
  prepareContext,
} from './context.js'
export type {
  AttentionControl,
  AttentionSite,
  Denoiser,
  LatentDiffusion,
  LatentGeometry,
  TokenizedPrompt,
  Tokenizer,
} from './diffusion.js'
export {
  AbortError,
  ArgumentError,
  AttentionError,
  BackendError,
  CheckpointError,
  ContrafactError,
  ImageError,
  type Lesson,
  MemoryBudgetError,
  NumericError,
  ShapeError,
} from './errors.js'
export { defaultSelfResolution, geometryOf } from './geometry.js'
export {
  type Differentiable,
  isTaped,
  recomputed,
  type ValueAndGradients,
  valueAndGradients,
  withGradient,
} from './gradient.js'
export { escapeHtml, type Figure, htmlDetails, htmlFigures, htmlPage, htmlTable } from './html.js'
export type { AttributeValue, Intervention } from './intervention.js'
export { expectMemory, formatBytes, hasMemory, memoryBudget, setMemoryBudget } from './memory-budget.js'
export { latentNoise, type NoiseSource } from './noise.js'
export { cropEdges, padEdges, roundUp } from './pad.js'
export { type AxisWeights, axisWeights, fixedPoint, type ResizeKernel } from './resampling.js'
export { breathe, type Progress, type RunOptions, throwIfAborted } from './run.js'
export { hasOwnKernel, type OwnKernel, runKernel, runOwnKernel, runUntapedKernel } from './run-kernel.js'
export { type Owned, Scope } from './scope.js'
export { expectNumber, expectShape, formatShape, type NumberRule, type ShapePattern } from './shapes.js'
export { type TorchRandom, type TorchRandomState, torchRandn } from './torch-random.js'
