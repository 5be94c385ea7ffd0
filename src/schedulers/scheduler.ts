import type { Tensor4D } from '@tensorflow/tfjs'

/** What the network was trained to predict. */
export type Prediction = 'epsilon' | 'v' | 'sample'

/** What a multistep method remembers between steps; its meaning is the method's own. */
export type History = readonly Tensor4D[]

/** One step's input. All tensors are `[batch, height, width, channels]` and borrowed. */
export interface StepInput {
  /** Latents before the step. */
  readonly x: Tensor4D
  /** The network's raw prediction for `scaleInput(x, index)` at `timesteps[index]`. */
  readonly output: Tensor4D
  /** Which step: 0 to `timesteps.length - 1`. */
  readonly index: number
  /** The history that the previous step returned; leave out for single-step methods and at index 0. */
  readonly history?: History
  /** Standard normal noise, needed when {@link Scheduler.stochastic}. */
  readonly noise?: Tensor4D
}

/** One step's result. All tensors are owned by the caller, the history's too (they are its own handles). */
export interface StepOutput {
  /** Latents after the step. */
  readonly x: Tensor4D
  /** The step's estimate of the clean latents. */
  readonly denoised: Tensor4D
  /** Pass to the next step, then dispose. */
  readonly history: History
}

/**
 * A noise schedule and its step: a frozen record of tables and pure functions. The same input gives the same
 * output; nothing is counted inside.
 */
export interface Scheduler {
  /** The method, e.g. `'ddim'`. */
  readonly name: string
  /** The number of steps that was asked for. */
  readonly steps: number
  /** The timesteps to call the network with, in order; some methods make more calls than `steps`. */
  readonly timesteps: readonly number[]
  /** What the network's output means. */
  readonly prediction: Prediction
  /** Cumulative product of alpha for every training timestep, float32. */
  readonly alphasCumprod: Float32Array
  /** Standard normal noise times this is the start of sampling. */
  readonly initialNoiseScale: number
  /** Whether {@link Scheduler.step} needs `noise`. */
  readonly stochastic: boolean
  /** Scales latents to what the network expects at this step; a new tensor, owned by the caller. */
  scaleInput(x: Tensor4D, index: number): Tensor4D
  /** One step towards the image. Differentiable in `x` and `output`. */
  step(input: StepInput): StepOutput
  /** Clean latents and standard normal noise to the latents before step `index`; owned by the caller. */
  addNoise(clean: Tensor4D, noise: Tensor4D, index: number): Tensor4D
}

/** A scheduler whose step has an inverse: deterministic DDIM. */
export interface InvertibleScheduler extends Scheduler {
  /**
   * The step's line with the roles exchanged: latents *after* step `index` to latents *before* it.
   * `output` is the network's prediction at `timesteps[index]` for whatever latents the caller chose: the
   * current ones in DDIM inversion, an estimate of the result in a fixed-point iteration.
   */
  invert(input: { readonly x: Tensor4D; readonly output: Tensor4D; readonly index: number }): Tensor4D
}

/** Whether a scheduler's step has an inverse; narrows the type. */
export function isInvertible(scheduler: Scheduler): scheduler is InvertibleScheduler {
  return 'invert' in scheduler
}
