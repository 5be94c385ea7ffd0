import type { Tensor4D } from '@tensorflow/tfjs'
import { type LatentDiffusion, Scope } from '../core/index.js'
import { ddimPath, type InversionOptions } from './ddim-path.js'
import { type Inversion, releaseInversion } from './inversion.js'

/**
 * Pivot-pinned inversion: DDIM inversion whose latents are kept, so that a replay is set back to them after
 * every step. The default choice: reconstruction is exact up to the autoencoder, at the cost of DDIM inversion.
 *
 * Direct Inversion adds to the source branch the difference `z*ᵢ₊₁ − step(z, ε)` between the pivot and what
 * the step gave; the sum is the pivot itself, whatever the step gave. So the source needs no guided
 * prediction: an editor evaluates it once per step, only for its attention maps.
 *
 * Cost: one evaluation per step; an edit of it costs three (source, and the target's guided pair).
 *
 * ```ts
 * const path = await pivotPinned(model, image, { prompt: 'chest x-ray with a line', scheduler: ddim({ steps: 50 }) })
 * ```
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param options - the prompt that describes the image, and the scheduler
 * @returns a path with a pivot for every step; its tensors belong to the caller
 * @throws ShapeError or ArgumentError on an image that is not one picture in [0, 1]
 * @throws AbortError when `signal` is aborted
 * @see Ju et al. 2024, "PnP Inversion: Boosting Diffusion-based Editing with 3 Lines of Code".
 */
export async function pivotPinned(
  model: LatentDiffusion,
  image: Tensor4D,
  options: InversionOptions,
): Promise<Inversion> {
  const scope = new Scope()
  try {
    const { latents, common, evaluations } = await ddimPath(model, image, options, 'pivotPinned', scope)
    const [start, ...pivots] = latents
    const steps = pivots.map((pivot) => ({ pivot }))
    return releaseInversion(scope, {
      ...common,
      method: 'pivot-pinned',
      guidance: 1,
      start: start!,
      steps,
      evaluations,
    })
  } finally {
    scope.dispose()
  }
}
