import type { Tensor4D } from '@tensorflow/tfjs'
import { type LatentDiffusion, Scope } from '../core/index.js'
import { ddimPath, type InversionOptions } from './ddim-path.js'
import { type Inversion, releaseInversion } from './inversion.js'

/**
 * Negative-prompt inversion: null-text inversion without its optimisation. The source prompt itself takes the
 * empty prompt's place, because that is where the optimised embeddings end up.
 *
 * Guidance of the source then cancels, `ε(C) + w (ε(C) − ε(C)) = ε(C)`, so a replay is DDIM's at any scale; an
 * edit is guided from the source prompt to the target's, `ε(C) + w (ε(C') − ε(C))`.
 *
 * Cost: one evaluation per step.
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param options - the prompt that describes the image, and the scheduler
 * @returns a path with an unconditional embedding for every step; its tensors belong to the caller
 * @throws ShapeError or ArgumentError on an image that is not one picture in [0, 1]
 * @throws AbortError when `signal` is aborted
 * @see Miyake et al. 2023, "Negative-prompt Inversion".
 */
export async function negativePrompt(
  model: LatentDiffusion,
  image: Tensor4D,
  options: InversionOptions,
): Promise<Inversion> {
  const scope = new Scope()
  try {
    const path = await ddimPath(model, image, options, 'negativePrompt', scope)
    const { latents, condition, common, evaluations } = path
    const steps = latents.slice(1).map(() => ({ unconditional: scope.own(condition.clone()) }))
    const start = latents[0]!
    return releaseInversion(scope, {
      ...common,
      method: 'negative-prompt',
      guidance: 1,
      start,
      steps,
      evaluations,
    })
  } finally {
    scope.dispose()
  }
}
