import * as tf from '@tensorflow/tfjs'
import type { LatentDiffusion, Tokenizer } from '../../core/index.js'
import { type NamedParameters, parameterTree } from '../../nn/index.js'
import { encodeText, type TextEncoderParameters } from '../clip/text-encoder.js'
import type { AutoencoderConfig, SchedulerConfig, TextEncoderConfig, UNetConfig } from '../config.js'
import type { UNetParameters } from '../unet/unet.js'
import { decodeLarge, encodeMean, type VaeMemoryOptions } from '../vae/memory.js'
import type { AutoencoderParameters } from '../vae/parameters.js'
import { frugalDenoiser } from './denoise.js'

/** The configs of a folder. */
export interface StableDiffusionConfigs {
  /** `unet/config.json` */
  readonly unet: UNetConfig
  /** `vae/config.json` */
  readonly vae: AutoencoderConfig
  /** `text_encoder/config.json` */
  readonly text: TextEncoderConfig
  /** `scheduler/scheduler_config.json` */
  readonly scheduler: SchedulerConfig
}

/** The weights of a folder, by the checkpoint's names. */
export interface StableDiffusionWeights {
  /** The denoiser's. */
  readonly unet: NamedParameters
  /** The autoencoder's. */
  readonly vae: NamedParameters
  /** The text encoder's. */
  readonly text: NamedParameters
}

/** What a Stable Diffusion is made of. */
export interface StableDiffusionParts {
  /** The folder's configs. */
  readonly configs: StableDiffusionConfigs
  /** Weights by the checkpoint's names, in this library's layout. */
  readonly weights: StableDiffusionWeights
  /** Prompts to tokens. */
  readonly tokenizer: Tokenizer
}

/** A Stable Diffusion 1.x or 2.x, ready to sample, invert and edit. It owns its weights. */
export interface StableDiffusion extends LatentDiffusion, StableDiffusionParts {
  /** Frees the weights. Idempotent. */
  dispose(): void
  /** As `dispose()`, for `using`. */
  [Symbol.dispose](): void
}

/**
 * Assembles a Stable Diffusion from its parts.
 *
 * @param parts - its weights belong to the result from now on
 * @param options - how the VAE treats large pictures
 */
export function stableDiffusion(
  parts: StableDiffusionParts,
  options: VaeMemoryOptions = {},
): StableDiffusion {
  const { configs, weights, tokenizer } = parts
  const { text_model: text } = parameterTree<{ text_model: TextEncoderParameters }>(weights.text)
  const autoencoder = parameterTree<AutoencoderParameters>(weights.vae)
  const { scaling_factor } = configs.vae
  const factor = 2 ** (configs.vae.block_out_channels.length - 1)
  const side = (configs.unet.sample_size ?? 64) * factor
  const dispose = () => {
    for (const part of Object.values(weights)) tf.dispose([...part.values()])
  }
  return Object.freeze<StableDiffusion>({
    ...parts,
    geometry: {
      factor,
      channels: configs.vae.latent_channels,
      multiple: factor,
      size: [side, side] as const,
    },
    denoise: frugalDenoiser(parameterTree<UNetParameters>(weights.unet), configs.unet),
    encodePrompts: (prompts) =>
      encodeText(
        text,
        configs.text,
        prompts.map((prompt) => tokenizer.encode(prompt).ids),
      ),
    encodeImage: (image) =>
      tf.tidy(() =>
        tf.mul(
          encodeMean(autoencoder, configs.vae, tf.sub<tf.Tensor4D>(tf.mul(image, 2), 1), options),
          scaling_factor,
        ),
      ),
    decodeLatents: (latents) =>
      tf.tidy(() => {
        const image = decodeLarge(
          autoencoder,
          configs.vae,
          tf.div<tf.Tensor4D>(latents, scaling_factor),
          options,
        )
        return tf.clipByValue(tf.add<tf.Tensor4D>(tf.mul(image, 0.5), 0.5), 0, 1)
      }),
    dispose,
    [Symbol.dispose]: dispose,
  })
}
