/**
 * The shipped model's configs, under diffusers' key names: 64 × 64 pictures, 16 × 16 × 4 latents, and a UNet that
 * attends to the prompt at 8 × 8 and 4 × 4.
 */

export const vaeConfig = {
  _class_name: 'AutoencoderKL',
  _diffusers_version: '0.35.0',
  act_fn: 'silu',
  block_out_channels: [32, 64, 64],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 1,
  norm_num_groups: 8,
  out_channels: 3,
  sample_size: 64,
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
}

export const unetConfigJson = {
  _class_name: 'UNet2DConditionModel',
  _diffusers_version: '0.35.0',
  act_fn: 'silu',
  attention_head_dim: 4,
  block_out_channels: [64, 96, 128],
  center_input_sample: false,
  cross_attention_dim: 96,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  layers_per_block: 1,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 16,
  out_channels: 4,
  sample_size: 16,
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
}

export const textEncoderConfigJson = {
  architectures: ['CLIPTextModel'],
  attention_dropout: 0,
  hidden_act: 'quick_gelu',
  hidden_size: 96,
  initializer_factor: 1,
  initializer_range: 0.02,
  intermediate_size: 384,
  layer_norm_eps: 1e-5,
  max_position_embeddings: 77,
  model_type: 'clip_text_model',
  num_attention_heads: 4,
  num_hidden_layers: 2,
  projection_dim: 96,
}

export const schedulerConfigJson = {
  _class_name: 'DDIMScheduler',
  _diffusers_version: '0.35.0',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  prediction_type: 'v_prediction',
  set_alpha_to_one: false,
  steps_offset: 1,
}
