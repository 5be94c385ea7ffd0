import { unetConfig } from '../../src/models/index.js'

/** A tiny UNet that attends on both of its levels: seven cross-attentions to prompts of width 6. */
export const attentiveUnet = unetConfig({
  sample_size: 8,
  block_out_channels: [8, 16],
  layers_per_block: 1,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 2,
  cross_attention_dim: 6,
  norm_num_groups: 4,
})
