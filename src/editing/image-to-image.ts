import type { Tensor4D } from '@tensorflow/tfjs'
import {
  ArgumentError,
  expectNumber,
  expectShape,
  type LatentDiffusion,
  latentNoise,
  Scope,
} from '../core/index.js'
import { encodeSingleImage } from '../inversion/index.js'
import { expectGeneration, type GeneratedImage, type GenerationOptions, generate } from './generate.js'

/** Options of {@link imageToImage}. */
export interface ImageToImageOptions extends GenerationOptions {
  /** The fraction of the steps to take, in (0, 1]; 0.8. At 1 hardly anything of the image is left. */
  readonly strength?: number
  /** Of the noise that is added; 0. */
  readonly seed?: number
  /** Standard normal noise of the shape of the latents, instead of the seed's; borrowed. */
  readonly noise?: Tensor4D
}

/**
 * Adds noise to an image and samples from there: the plainest edit, which keeps only what the noise leaves.
 *
 * Takes the last `int(steps · strength)` steps, as diffusers' `StableDiffusionImg2ImgPipeline` does; unlike it,
 * the image is encoded as the posterior's mean, not as a random draw.
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param options - prompt, scheduler, strength
 * @returns the image, and the number of steps that the strength came to
 * @throws ArgumentError when the strength leaves no step, or a number is out of range
 * @throws ShapeError unless it is one RGB image
 * @throws AbortError when `signal` is aborted
 * @see Meng et al. 2022, "SDEdit".
 */
export async function imageToImage(
  model: LatentDiffusion,
  image: Tensor4D,
  options: ImageToImageOptions,
): Promise<GeneratedImage> {
  expectGeneration(options, 'imageToImage')
  const { scheduler, strength = 0.8, seed = 0 } = options
  expectNumber(strength, { min: 0, max: 1 }, 'imageToImage', 'strength')
  const taken = Math.trunc(scheduler.steps * strength)
  if (taken < 1) throw noSteps(scheduler.steps, strength)
  const from = scheduler.steps - taken
  const source = latentNoise(seed)
  const scope = new Scope()
  try {
    const clean = scope.own(await encodeSingleImage(model, image, 'imageToImage'))
    const noise = options.noise ?? scope.own(source(clean.shape))
    expectShape(noise, clean.shape, 'imageToImage', 'noise')
    const x = scope.own(scheduler.addNoise(clean, noise, from))
    return await generate(model, options, { x, from, noise: source, size: [image.shape[1], image.shape[2]] })
  } finally {
    scope.dispose()
  }
}

function noSteps(steps: number, strength: number): ArgumentError {
  return new ArgumentError({
    rule: 'imageToImage needs steps · strength to be at least 1',
    got: `${steps} · ${strength} = ${steps * strength}`,
    mend: `Use a strength of at least ${1 / steps}, or more steps.`,
  })
}
