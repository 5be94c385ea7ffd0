import type { Tensor4D } from '@tensorflow/tfjs'
import {
  expectNumber,
  expectShape,
  geometryOf,
  type LatentDiffusion,
  latentNoise,
  roundUp,
  Scope,
} from '../core/index.js'
import { expectGeneration, type GeneratedImage, type GenerationOptions, generate } from './generate.js'

/** Options of {@link textToImage}. */
export interface TextToImageOptions extends GenerationOptions {
  /** One image per seed; 0. The same seed gives the same image, and the noise of `torch.randn` on the CPU. */
  readonly seed?: number | readonly number[]
  /** Standard normal noise to start from, `[batch, height, width, channels]` of the latents, instead of the seed's; borrowed. */
  readonly noise?: Tensor4D
  /** `[height, width]` in pixels; the size that the model was trained on. Any size: padded, and cropped back. */
  readonly size?: readonly [height: number, width: number]
}

/**
 * Samples an image from noise.
 *
 * Equal to diffusers' `StableDiffusionPipeline` for the same seed, scheduler and prompt.
 *
 * Cost: two evaluations per step and image, one with guidance of at most 1.
 *
 * ```ts
 * const { image } = await textToImage(model, { prompt: 'chest x-ray', scheduler: ddim({ steps: 50 }), seed: 0 })
 * ```
 *
 * @param model - borrowed
 * @param options - prompt, scheduler, seed
 * @throws ArgumentError when a number is out of range
 * @throws ShapeError when `noise` does not fit the size
 * @throws AbortError when `signal` is aborted
 */
export async function textToImage(
  model: LatentDiffusion,
  options: TextToImageOptions,
): Promise<GeneratedImage> {
  expectGeneration(options, 'textToImage')
  const { factor, channels, multiple, size: trained } = geometryOf(model)
  const { seed = 0, size = trained, scheduler } = options
  for (const side of size) expectNumber(side, { min: 1, integer: true }, 'textToImage', 'every side of size')
  const [height, width] = size.map((side) => roundUp(side, multiple) / factor) as [number, number]
  const batch = options.noise?.shape[0] ?? (typeof seed === 'number' ? 1 : seed.length)
  const shape = [batch, height, width, channels] as const
  const source = latentNoise(seed)
  const scope = new Scope()
  try {
    const noise = options.noise ?? scope.own(source(shape))
    expectShape(noise, shape, 'textToImage', 'noise')
    const x = scope.own(noise.mul<Tensor4D>(scheduler.initialNoiseScale))
    return await generate(model, options, { x, from: 0, noise: source, size })
  } finally {
    scope.dispose()
  }
}
