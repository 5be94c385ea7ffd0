import { autoencoderConfig, textEncoderConfig, unetConfig } from '../config.js'
import type { MemoryConfigs } from './estimate-memory.js'

const vae = autoencoderConfig({
  block_out_channels: [128, 256, 512, 512],
  down_block_types: new Array(4).fill('DownEncoderBlock2D'),
  up_block_types: new Array(4).fill('UpDecoderBlock2D'),
  layers_per_block: 2,
  sample_size: 512,
})

/** The configs of published models, for estimates made before anything is downloaded. */
export const publishedModels: Readonly<
  Record<'Stable Diffusion 1.5' | 'Stable Diffusion 2.1', MemoryConfigs>
> = Object.freeze({
  'Stable Diffusion 1.5': {
    unet: unetConfig({ sample_size: 64, cross_attention_dim: 768 }),
    vae,
    text: textEncoderConfig({}),
  },
  'Stable Diffusion 2.1': {
    unet: unetConfig({
      sample_size: 96,
      cross_attention_dim: 1024,
      attention_head_dim: [5, 10, 20, 20],
      use_linear_projection: true,
    }),
    vae,
    text: textEncoderConfig({
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 23,
      num_attention_heads: 16,
      hidden_act: 'gelu',
    }),
  },
})
