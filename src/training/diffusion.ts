import * as tf from '@tensorflow/tfjs'
import type { Tokenizer, TorchRandom } from '../core/index.js'
import {
  encodeText,
  type TextEncoderConfig,
  type TextEncoderParameters,
  type UNetConfig,
  type UNetParameters,
} from '../models/index.js'
import { type NamedParameters, parameterTree } from '../nn/index.js'
import type { Prediction } from '../schedulers/index.js'
import { type DenoisingBatch, denoisingLoss } from './denoising-loss.js'
import { drawIntegers, drawNormal } from './draw.js'
import { type FitOptions, fit } from './fit.js'
import type { TrainingState } from './state.js'

/** Captioned latents of one step. */
export interface CaptionedLatents {
  /** Scaled latents `[batch, height, width, channels]`; freed after the step. */
  readonly latents: tf.Tensor4D
  /** One caption per row. */
  readonly captions: readonly string[]
}

/** The networks and the schedule of a latent diffusion model in training. */
export interface DiffusionTraining {
  /** The denoiser's config. */
  readonly unet: UNetConfig
  /** The text encoder's config. */
  readonly text: TextEncoderConfig
  /** Captions to tokens. */
  readonly tokenizer: Tokenizer
  /** Cumulative products of alpha, one per training timestep. */
  readonly alphasCumprod: Float32Array
  /** What the network learns to predict. */
  readonly prediction: Prediction
  /** The text encoder's weights where it stays as it is (the paper's and PRISM's fine-tuning); borrowed. */
  readonly frozenText?: NamedParameters
}

/** What a diffusion model's fitting takes beside the usual options. */
export interface DiffusionFitOptions extends FitOptions {
  /** Share of captions replaced by the empty one, so that guidance has a trained null branch; 0.1 by default. */
  readonly captionDropout?: number
}

/**
 * Fits a denoiser, and the text encoder with it unless that is frozen, to captioned latents: the
 * {@link denoisingLoss} at uniformly drawn timesteps, with some captions left out for classifier-free guidance
 * (Ho & Salimans 2022).
 *
 * @param model - configs, tokenizer and schedule
 * @param initial - the UNet's weights under `unet/`, and unless frozen the text encoder's under `text_encoder/`
 *   (see {@link joinParameters}); borrowed
 * @param data - the batch of a step
 * @returns the final state under the same names, owned by the caller
 */
export function fitDiffusion(
  model: DiffusionTraining,
  initial: NamedParameters,
  data: (step: number, random: TorchRandom) => CaptionedLatents,
  options: DiffusionFitOptions,
): Promise<TrainingState> {
  const { captionDropout = 0.1 } = options
  return fit(
    initial,
    {
      batch: (step, random) => {
        const { latents, captions } = data(step, random)
        const kept = random.uniform(captions.length)
        const prompts = captions.map((caption, i) => (kept[i]! < captionDropout ? '' : caption))
        const timesteps = drawIntegers(random, captions.length, model.alphasCumprod.length)
        const noise = drawNormal(random, latents.shape)
        return { latents, noise, prompts, timesteps }
      },
      loss: (named, batch) => diffusionLoss(model, named, batch),
    },
    options,
  )
}

/** One noised, captioned batch; the tensors are borrowed. */
export interface DiffusionBatch extends Omit<DenoisingBatch, 'context' | 'timesteps'> {
  /** One prompt per row. */
  readonly prompts: string[]
  /** One training timestep per row. */
  readonly timesteps: number[]
}

/**
 * The loss of {@link fitDiffusion} for one batch.
 *
 * @returns a scalar, differentiable in every parameter; owned by the caller
 */
export function diffusionLoss(
  model: DiffusionTraining,
  named: NamedParameters,
  { latents, noise, prompts, timesteps }: DiffusionBatch,
): tf.Scalar {
  return tf.tidy(() => {
    const text = model.frozenText ?? splitParameters(named, 'text_encoder')
    const { text_model } = parameterTree<{ text_model: TextEncoderParameters }>(text)
    const ids = prompts.map((prompt) => model.tokenizer.encode(prompt).ids)
    const context = encodeText(text_model, model.text, ids)
    const parameters = parameterTree<UNetParameters>(splitParameters(named, 'unet'))
    const batch = { latents, noise, timesteps, context }
    return denoisingLoss(parameters, model.unet, model.alphasCumprod, model.prediction, batch)
  })
}

/** Several models' weights as one list: `joinParameters({ unet, text_encoder })` names them `unet/...`. Shares the tensors. */
export function joinParameters(parts: Readonly<Record<string, NamedParameters>>): NamedParameters {
  return new Map(
    Object.entries(parts).flatMap(([part, named]) =>
      [...named].map(([name, tensor]) => [`${part}/${name}`, tensor] as const),
    ),
  )
}

/** One model's weights out of a joined list. Shares the tensors. */
export function splitParameters(joined: NamedParameters, part: string): NamedParameters {
  const prefix = `${part}/`
  return new Map(
    [...joined].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  )
}
