import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  ArgumentError,
  breathe,
  type Denoiser,
  expectNumber,
  prepareContext,
  type RunOptions,
  Scope,
  throwIfAborted,
} from '../core/index.js'
import { type InvertibleScheduler, isInvertible } from '../schedulers/index.js'

/** Solves each step exactly instead of to first order. */
export interface FixedPointOptions {
  /** Further evaluations of the network per step; 3 to 5 usually gain all there is. */
  readonly iterations: number
}

/** What {@link ddimTrajectory} walks back. */
export interface TrajectoryInput {
  /** The latents of the image, `[1, height, width, channels]`; borrowed. */
  readonly clean: Tensor4D
  /** The embedding of the prompt that describes it, `[1, tokens, width]`; borrowed. */
  readonly condition: Tensor3D
  /** The steps to walk back. */
  readonly scheduler: InvertibleScheduler
  /** Refines each step by fixed-point iteration; by default it is taken once. */
  readonly fixedPoint?: FixedPointOptions | undefined
}

/** The latents of an inverted image at every level of noise. */
export interface Trajectory {
  /** In sampling order: entry i is the latents before step i, the last is the image's. Owned by the caller. */
  readonly latents: readonly Tensor4D[]
  /** Batch rows that the network evaluated. */
  readonly evaluations: number
}

/**
 * DDIM inversion of latents: the sampling steps backwards, conditional, without guidance.
 *
 * Before step i stands `x` with `step(x, ε(x, tᵢ)) = known`. The network is asked at tᵢ but for the known, less
 * noisy latents, which is right to first order. Fixed-point iteration asks again for the estimate it got, and
 * converges where the step is a contraction; `onProgress` then carries the last change (maximum) as `loss`.
 *
 * @param denoise - the network
 * @param input - latents, condition and scheduler
 * @param options - progress and abort
 * @throws ArgumentError when the scheduler cannot be inverted
 * @throws AbortError when `signal` is aborted
 * @see Song et al. 2021, "Denoising Diffusion Implicit Models", section 4.3, with the timestep convention
 * of Mokady et al. 2023; fixed points as in Pan et al. 2023 (AIDI), without acceleration.
 */
export async function ddimTrajectory(
  denoise: Denoiser,
  { clean, condition, scheduler, fixedPoint }: TrajectoryInput,
  options: RunOptions = {},
): Promise<Trajectory> {
  const stage = 'ddim inversion'
  expectInvertible(scheduler)
  const refinements = fixedPoint?.iterations ?? 0
  expectNumber(refinements, { min: 0, integer: true }, 'ddimTrajectory', 'fixedPoint.iterations')
  throwIfAborted(options.signal, stage)
  const total = scheduler.timesteps.length
  const scope = new Scope()
  try {
    scope.own(prepareContext(denoise, condition))
    const latents = [scope.own(clean.clone())]
    for (let index = total - 1; index >= 0; index--) {
      const known = latents[0]!
      const before = (estimate: Tensor4D) =>
        tf.tidy(() => {
          const output = denoise(estimate, scheduler.timesteps[index]!, condition)
          return scheduler.invert({ x: known, output, index })
        })
      let estimate = scope.own(before(known))
      let change: number | undefined
      for (let refinement = 1; refinement <= refinements; refinement++) {
        const refined = scope.own(before(estimate))
        if (refinement === refinements) change = await maximumChange(estimate, refined)
        scope.free(estimate)
        estimate = refined
      }
      latents.unshift(estimate)
      options.onProgress?.({
        stage,
        done: total - index,
        total,
        ...(change !== undefined && { loss: change }),
      })
      await breathe(options, stage)
    }
    for (const tensor of latents) scope.release(tensor)
    return { latents, evaluations: total * (1 + refinements) }
  } finally {
    scope.dispose()
  }
}

async function maximumChange(before: Tensor4D, after: Tensor4D): Promise<number> {
  const change = tf.tidy(() => after.sub(before).abs().max())
  try {
    return (await change.data())[0]!
  } finally {
    change.dispose()
  }
}

function expectInvertible(scheduler: InvertibleScheduler): void {
  if (isInvertible(scheduler) && !scheduler.stochastic) return
  throw new ArgumentError({
    rule: 'ddimTrajectory needs a scheduler with an inverse step',
    got: `${(scheduler as InvertibleScheduler).name}`,
    mend: 'Use ddim({ steps }) without eta, clipping or thresholding.',
  })
}
