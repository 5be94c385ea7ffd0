import type { Tensor4D } from '@tensorflow/tfjs'
import { type LatentDiffusion, Scope } from '../core/index.js'
import { ddimPath, type InversionOptions } from './ddim-path.js'
import { type Inversion, releaseInversion } from './inversion.js'

/**
 * Plain DDIM inversion: the noise from which conditional sampling nearly returns to the image. The error of
 * each step stays and adds up, and guidance multiplies it; {@link pivotPinned} costs the same and has none.
 *
 * Cost: one evaluation per step.
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param options - the prompt that describes the image, and the scheduler
 * @returns a path to be replayed with guidance 1; its tensors belong to the caller
 * @throws ShapeError or ArgumentError on an image that is not one picture in [0, 1]
 * @throws AbortError when `signal` is aborted
 * @see Song et al. 2021, "Denoising Diffusion Implicit Models", section 4.3.
 */
export async function ddimInversion(
  model: LatentDiffusion,
  image: Tensor4D,
  options: InversionOptions,
): Promise<Inversion> {
  const scope = new Scope()
  try {
    const { latents, common, evaluations } = await ddimPath(model, image, options, 'ddimInversion', scope)
    const steps = latents.slice(1).map(() => ({}))
    return releaseInversion(scope, {
      ...common,
      method: 'ddim',
      guidance: 1,
      start: latents[0]!,
      steps,
      evaluations,
    })
  } finally {
    scope.dispose()
  }
}
