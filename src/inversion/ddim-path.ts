import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { LatentDiffusion, RunOptions, Scope } from '../core/index.js'
import type { InvertibleScheduler } from '../schedulers/index.js'
import { ddimTrajectory, type FixedPointOptions } from './ddim-trajectory.js'
import { encodeSingleImage } from './encode-image.js'
import type { Inversion } from './inversion.js'

/** What every inverter needs besides the model and the image. */
export interface InversionOptions extends RunOptions {
  /** Describes the image; what does not fit the text encoder is reported in {@link Inversion.truncated}. */
  readonly prompt: string
  /**
   * The prompt under which the path is walked back; by default `prompt`. What this prompt explains is not in the
   * noise: under the full description an edit whose prompt no longer mentions a thing loses it, under the empty
   * prompt (`''`) the noise carries the whole image and keeps it.
   */
  readonly inversionPrompt?: string
  /** Deterministic DDIM; its steps are those of the later edit. */
  readonly scheduler: InvertibleScheduler
  /** Refines the DDIM inversion underneath; by default each step is taken once. */
  readonly fixedPoint?: FixedPointOptions | undefined
}

/** What all inversions here start from; all tensors are the scope's. */
export interface DdimPath {
  /** Entry i is the latents before step i, the last is the image's. */
  readonly latents: readonly Tensor4D[]
  /** The embedding of the prompt. */
  readonly condition: Tensor3D
  /** The members of {@link Inversion} that no inverter changes, with a copy of the clean latents. */
  readonly common: Pick<Inversion, 'prompt' | 'truncated' | 'scheduler' | 'size' | 'clean'>
  /** Batch rows evaluated so far. */
  readonly evaluations: number
}

/** Encodes the image and its prompt, and walks DDIM back. */
export async function ddimPath(
  model: LatentDiffusion,
  image: Tensor4D,
  options: InversionOptions,
  where: string,
  scope: Scope,
): Promise<DdimPath> {
  const { prompt, inversionPrompt = prompt, scheduler, fixedPoint } = options
  const clean = scope.own(await encodeSingleImage(model, image, where))
  const condition = scope.own(model.encodePrompts([prompt]))
  const walked = scope.own(model.encodePrompts([inversionPrompt]))
  const trajectory = await ddimTrajectory(
    model.denoise,
    { clean, condition: walked, scheduler, fixedPoint },
    options,
  )
  for (const latents of trajectory.latents) scope.own(latents)
  const { truncated } = model.tokenizer.encode(prompt)
  const size = [image.shape[1], image.shape[2]] as const
  const { latents, evaluations } = trajectory
  return { latents, condition, evaluations, common: { prompt, truncated, scheduler, size, clean } }
}
