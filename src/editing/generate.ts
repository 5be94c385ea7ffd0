import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  contextRows,
  cropEdges,
  expectNumber,
  joinContexts,
  type LatentDiffusion,
  type NoiseSource,
  prepareContext,
  type RunOptions,
  Scope,
} from '../core/index.js'
import { guidedNoise } from '../guidance/index.js'
import type { Scheduler } from '../schedulers/index.js'
import { type Predict, sample } from './sample.js'

/** What sampling from noise and from an image have in common. */
export interface GenerationOptions extends RunOptions {
  /** Describes the image. */
  readonly prompt: string
  /** What guidance leads away from; the empty prompt. */
  readonly negativePrompt?: string
  /** Any scheduler. */
  readonly scheduler: Scheduler
  /** The guidance scale; 7.5. At 1 and below the negative prompt is not used, and a step costs half. */
  readonly guidance?: number
  /** Gives guided predictions back their deviation, from 0 (none) to 1; 0. See `rescaleGuidance`. */
  readonly guidanceRescale?: number
}

/** Generated images. The tensors belong to the caller. */
export interface GeneratedImage {
  /** `[batch, height, width, 3]` in [0, 1]. */
  readonly image: Tensor4D
  /** The latents it was decoded from, `[batch, height, width, channels]`. */
  readonly latents: Tensor4D
  /** Steps that were taken. */
  readonly steps: number
  /** Batch rows that the network evaluated. */
  readonly evaluations: number
  /** The end of the prompt that the text encoder could not take; empty when everything fitted. */
  readonly truncated: string
}

/** Where generation starts and what its result is cut to. */
export interface GenerationStart {
  /** Latents before the first step; borrowed. */
  readonly x: Tensor4D
  /** The first step. */
  readonly from: number
  /** Noise of stochastic steps. */
  readonly noise: NoiseSource
  /** `[height, width]` in pixels. */
  readonly size: readonly [number, number]
}

/** Checks the numbers of {@link GenerationOptions} before any work is done. */
export function expectGeneration(
  { guidance = 7.5, guidanceRescale = 0 }: GenerationOptions,
  where: string,
): void {
  expectNumber(guidance, {}, where, 'guidance')
  expectNumber(guidanceRescale, { min: 0, max: 1 }, where, 'guidanceRescale')
}

/** The part that text-to-image and image-to-image share: guided sampling from some latents on, then decoding. */
export async function generate(
  model: LatentDiffusion,
  options: GenerationOptions,
  start: GenerationStart,
): Promise<GeneratedImage> {
  const { prompt, negativePrompt = '', scheduler, guidance = 7.5, guidanceRescale: rescale } = options
  const { from, noise } = start
  const guided = guidance > 1
  const rows = start.x.shape[0]
  const scope = new Scope()
  try {
    const context = scope.own(model.encodePrompts(guided ? [negativePrompt, prompt] : [prompt]))
    scope.own(prepareContext(model.denoise, context))
    const predict: Predict = (x, timestep) =>
      tf.tidy(() => {
        if (!guided) return model.denoise(x, timestep, joinContexts(new Array(rows).fill(context)))
        const [unconditional, conditional] = [contextRows(context, 0, 1), contextRows(context, 1, 1)]
        return guidedNoise(model.denoise, x, timestep, { unconditional, conditional }, guidance, { rescale })
      })
    const { signal, onProgress } = options
    const latents = scope.own(
      await sample(predict, { scheduler, x: start.x, from, noise, signal, onProgress }),
    )
    const image = tf.tidy(() => cropEdges(model.decodeLatents(latents), start.size))
    const { truncated } = model.tokenizer.encode(prompt)
    const steps = scheduler.timesteps.length - from
    return {
      image,
      latents: scope.release(latents),
      steps,
      evaluations: steps * rows * (guided ? 2 : 1),
      truncated,
    }
  } finally {
    scope.dispose()
  }
}
