import {
  autoencoderConfig,
  autoencoderShapes,
  type StableDiffusion,
  schedulerConfig,
  stableDiffusion,
  textEncoderConfig,
  textEncoderShapes,
  unetConfig,
  unetShapes,
} from '../../src/models/index.js'
import { hashWeights } from '../support/name-hash.js'
import { sd1 } from '../text/clip-files.js'

/** The scheduler config of Stable Diffusion 1.5, as published. */
export const sd1Scheduler = schedulerConfig({
  _class_name: 'PNDMScheduler',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
})

/** A whole Stable Diffusion 1 with name-hash weights, the real vocabulary and 64 × 64 pictures. */
export function dummyStableDiffusion(): StableDiffusion {
  const configs = {
    unet: unetConfig({
      sample_size: 32,
      block_out_channels: [4, 8],
      layers_per_block: 1,
      down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
      up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
      cross_attention_dim: 8,
      norm_num_groups: 2,
    }),
    vae: autoencoderConfig({
      block_out_channels: [4, 8],
      down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
      up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
      norm_num_groups: 2,
    }),
    text: textEncoderConfig({
      hidden_size: 8,
      intermediate_size: 16,
      num_hidden_layers: 2,
      num_attention_heads: 2,
    }),
    scheduler: sd1Scheduler,
  }
  const weights = {
    unet: hashWeights(unetShapes(configs.unet)),
    vae: hashWeights(autoencoderShapes(configs.vae)),
    text: hashWeights(textEncoderShapes(configs.text)),
  }
  return stableDiffusion({ configs, weights, tokenizer: sd1 })
}
