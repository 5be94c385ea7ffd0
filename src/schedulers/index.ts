/**
 * Noise schedules and single steps of diffusion samplers: arithmetic alone, no network and no hidden state.
 *
 * @packageDocumentation
 */
export type { ClampOptions, ThresholdingOptions } from './clamp.js'
export type { SchedulerOptions } from './common.js'
export type { SchedulerMethod } from './config-schema.js'
export { type DdimOptions, ddim, type InvertibleDdimOptions } from './ddim.js'
export { type DdimInverseOptions, ddimInverse } from './ddim-inverse.js'
export { type DdpmOptions, ddpm } from './ddpm.js'
export { type DpmSolverOptions, dpmSolverPlusPlus } from './dpm-solver.js'
export { type EulerOptions, euler } from './euler.js'
export { type EulerAncestralOptions, eulerAncestral } from './euler-ancestral.js'
export { type ConfiguredScheduler, type FromConfigOptions, schedulerFromConfig } from './from-config.js'
export { type LcmOptions, lcm } from './lcm.js'
export { type PndmOptions, pndm } from './pndm.js'
export { diffuse, type Estimates, type Level, levelAt, levelAtRatio, readPrediction } from './predictions.js'
export type { FinalSigma } from './ratios.js'
export { type BetaSchedule, cumulativeAlphas, type NoiseScheduleOptions } from './schedule.js'
export {
  type History,
  type InvertibleScheduler,
  isInvertible,
  type Prediction,
  type Scheduler,
  type StepInput,
  type StepOutput,
} from './scheduler.js'
export { type Spacing, type SpacingOptions, spacedTimesteps } from './spacing.js'
