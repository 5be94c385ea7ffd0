import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  breathe,
  expectNumber,
  type LatentDiffusion,
  NumericError,
  prepareContext,
  Scope,
  valueAndGradients,
} from '../core/index.js'
import { classifierFree } from '../guidance/index.js'
import { adamStart, adamStep, disposeAdam } from './adam.js'
import { ddimPath, type InversionOptions } from './ddim-path.js'
import { type Inversion, type InversionStep, releaseInversion } from './inversion.js'

/** Options of {@link nullText}. */
export interface NullTextOptions extends InversionOptions {
  /** The guidance scale that the embeddings are fitted for, and that edits use by default; 7.5. */
  readonly guidance?: number
  /** The most updates per step; 10. */
  readonly innerSteps?: number
  /** Of the first step; falls by a hundredth of itself with every step (for at most 50 steps, else to its half); 0.01. */
  readonly learningRate?: number
  /** A step ends early when its loss is below `epsilon + 2·10⁻⁵ · step`; 10⁻⁵. */
  readonly epsilon?: number
}

/**
 * Null-text inversion: keeps the guided replay on the DDIM path by fitting, for every step, the embedding that
 * takes the empty prompt's place.
 *
 * With the pivots `z*` of DDIM inversion, the prompt `C` and the empty prompt's `∅`, warm-started from step to
 * step, it minimises over `∅ᵢ` with Adam
 *
 * `mean (z*ᵢ₊₁ − step(zᵢ, ε(zᵢ, ∅ᵢ) + w (ε(zᵢ, C) − ε(zᵢ, ∅ᵢ))))²`
 *
 * and goes on from where the fitted step ends. {@link pivotPinned} reconstructs better for a tenth of the cost;
 * this is for parity with published results.
 *
 * Cost: per step, 3 evaluations and one more with its gradient per update; needs a network that is
 * differentiable in its context. A model from `loadStableDiffusion` computes blocks again where their results do not fit
 * the memory budget.
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param options - the prompt that describes the image, the scheduler, the guidance, and the optimiser's
 * @returns a path with an unconditional embedding for every step; its tensors belong to the caller
 * @throws ShapeError or ArgumentError on an image that is not one picture in [0, 1]
 * @throws NumericError when a loss is not finite
 * @throws AbortError when `signal` is aborted
 * @see Mokady et al. 2023, "Null-text Inversion", algorithm 1, with the constants of the published code.
 */
export async function nullText(
  model: LatentDiffusion,
  image: Tensor4D,
  options: NullTextOptions,
): Promise<Inversion> {
  const { scheduler, guidance = 7.5, innerSteps = 10, learningRate = 1e-2, epsilon = 1e-5 } = options
  expectNumber(guidance, {}, 'nullText', 'guidance')
  expectNumber(innerSteps, { min: 0, integer: true }, 'nullText', 'innerSteps')
  expectNumber(learningRate, { min: 0 }, 'nullText', 'learningRate')
  expectNumber(epsilon, { min: 0 }, 'nullText', 'epsilon')
  const total = scheduler.timesteps.length
  // Published for 50 steps, where the rate halves; it would turn negative beyond 100.
  const decay = Math.max(100, 2 * total)
  const scope = new Scope()
  try {
    const { latents, condition, common, ...path } = await ddimPath(model, image, options, 'nullText', scope)
    scope.own(prepareContext(model.denoise, condition))
    let evaluations = path.evaluations
    let nothing = scope.own(model.encodePrompts(['']))
    let z = latents[0]!
    const steps: InversionStep[] = []

    for (const [index, timestep] of scheduler.timesteps.entries()) {
      const conditional = scope.own(model.denoise(z, timestep, condition))
      const stepWith = (unconditional: Tensor3D): Tensor4D => {
        const output = classifierFree(model.denoise(z, timestep, unconditional), conditional, guidance)
        return scheduler.step({ x: z, output, index }).x
      }
      const fit = await fitEmbedding(nothing, stepWith, latents[index + 1]!, {
        ...options,
        innerSteps,
        learningRate: learningRate * (1 - index / decay),
        enough: epsilon + index * 2e-5,
      })
      nothing = scope.own(fit.embedding)
      steps.push({ unconditional: nothing, losses: fit.losses })
      z = scope.own(tf.tidy(() => stepWith(nothing)))
      scope.free(conditional)
      evaluations += 2 + fit.losses.length
      const loss = fit.losses.at(-1)
      options.onProgress?.({
        stage: 'null-text',
        done: index + 1,
        total,
        ...(loss !== undefined && { loss }),
      })
      await breathe(options, 'null-text')
    }
    const start = latents[0]!
    return releaseInversion(scope, { ...common, method: 'null-text', guidance, start, steps, evaluations })
  } finally {
    scope.dispose()
  }
}

interface FitOptions extends InversionOptions {
  readonly innerSteps: number
  readonly learningRate: number
  readonly enough: number
}

// The inner loop: one step's embedding, with an optimiser of its own.
async function fitEmbedding(
  initial: Tensor3D,
  stepWith: (unconditional: Tensor3D) => Tensor4D,
  pivot: Tensor4D,
  options: FitOptions,
): Promise<{ embedding: Tensor3D; losses: number[] }> {
  const distance = (embedding: tf.Tensor) =>
    stepWith(embedding as Tensor3D)
      .sub(pivot)
      .square()
      .mean() as Scalar
  const losses: number[] = []
  let adam = adamStart(initial)
  try {
    while (losses.length < options.innerSteps) {
      const { value, gradients } = valueAndGradients(distance, [adam.parameter])
      const previous = adam
      adam = adamStep(previous, gradients[0] as Tensor3D, options.learningRate)
      disposeAdam(previous)
      tf.dispose(gradients)
      const [loss] = await value.data().finally(() => value.dispose())
      if (!Number.isFinite(loss)) throw notFinite(loss!)
      losses.push(loss!)
      if (loss! < options.enough) break // the loss before the update, as published
      await breathe(options, 'null-text')
    }
    return { embedding: adam.parameter.clone(), losses }
  } finally {
    disposeAdam(adam)
  }
}

function notFinite(loss: number): NumericError {
  return new NumericError({
    rule: 'nullText needs finite losses',
    got: String(loss),
    mend: 'Lower learningRate or guidance, or use pivotPinned(), which optimises nothing.',
  })
}
