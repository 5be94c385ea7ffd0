import { expect, test } from 'vitest'
import { CheckpointError } from '../../src/core/index.js'
import { autoencoderConfig, schedulerConfig, textEncoderConfig, unetConfig } from '../../src/models/index.js'

// As 1.5 has it, written by diffusers 0.6: most keys are missing.
const sd15 = {
  _class_name: 'UNet2DConditionModel',
  _diffusers_version: '0.6.0',
  act_fn: 'silu',
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  center_input_sample: false,
  cross_attention_dim: 768,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
  sample_size: 64,
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
}

test("1.5's sparse config gets diffusers' defaults, and is kept as it was", () => {
  const config = unetConfig(sd15)
  expect(config).toMatchObject({
    attention_head_dim: [8, 8, 8, 8],
    layers_per_block: [2, 2, 2, 2],
    mid_block_type: 'UNetMidBlock2DCrossAttn',
    use_linear_projection: false,
    upcast_attention: false,
    cross_attention_dim: 768,
  })
  expect(config.raw).toEqual(sd15)
})

test("2.1's heads differ by level", () => {
  const config = unetConfig({
    ...sd15,
    attention_head_dim: [5, 10, 20, 20],
    use_linear_projection: true,
    upcast_attention: true,
  })
  expect(config).toMatchObject({
    attention_head_dim: [5, 10, 20, 20],
    use_linear_projection: true,
    upcast_attention: true,
  })
})

test("an empty config is the class's own default", () => {
  expect(unetConfig({})).toMatchObject({
    cross_attention_dim: 1280,
    attention_head_dim: [8, 8, 8, 8],
    block_out_channels: [320, 640, 1280, 1280],
    sample_size: null,
    norm_eps: 1e-5,
  })
  expect(autoencoderConfig({ block_out_channels: [64] })).toMatchObject({
    scaling_factor: 0.18215,
    sample_size: 32,
    layers_per_block: 1,
  })
  expect(textEncoderConfig({})).toMatchObject({
    hidden_size: 512,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    eos_token_id: 49407,
  })
})

test('values that mean the default are accepted in every spelling', () => {
  const spelled = {
    only_cross_attention: [false, false, false, false],
    mid_block_only_cross_attention: null,
    transformer_layers_per_block: [1, 1, 1, 1],
    cross_attention_dim: [768, 768, 768, 768],
    sample_size: [64, 64],
    class_embed_type: null,
    upcast_attention: null,
    some_key_of_tomorrow: 1,
  }
  expect(unetConfig({ ...sd15, ...spelled })).toMatchObject({
    cross_attention_dim: 768,
    sample_size: 64,
    upcast_attention: false,
  })
})

test.each([
  [{ class_embed_type: 'timestep' }, /class_embed_type = "timestep".*upscalers/],
  [{ num_class_embeds: 1000 }, /num_class_embeds.*upscalers/],
  [{ addition_embed_type: 'text_time' }, /addition_embed_type.*Stable Diffusion XL/],
  [{ encoder_hid_dim: 1280 }, /encoder_hid_dim/],
  [{ dual_cross_attention: true }, /dual_cross_attention/],
  [{ only_cross_attention: [false, true, false, false] }, /only_cross_attention/],
  [{ resnet_time_scale_shift: 'scale_shift' }, /resnet_time_scale_shift/],
  [{ time_embedding_type: 'fourier' }, /time_embedding_type/],
  [{ time_cond_proj_dim: 256 }, /time_cond_proj_dim/],
  [{ num_attention_heads: 8 }, /num_attention_heads/],
  [{ transformer_layers_per_block: [1, 2, 10, 10] }, /transformer_layers_per_block.*XL/],
  [{ down_block_types: ['KDownBlock2D'] }, /down_block_types\.0 = "KDownBlock2D"/],
  [{ mid_block_type: 'UNetMidBlock2DSimpleCrossAttn' }, /mid_block_type = "UNetMidBlock2DSimpleCrossAttn"/],
  [{ act_fn: 'mish' }, /act_fn = "mish"/],
  [{ block_out_channels: [320, -1] }, /block_out_channels\.1 = -1/],
  [{ block_out_channels: [] }, /block_out_channels/],
  [{ in_channels: '4' }, /in_channels = "4"/],
  [{ norm_num_groups: null }, /norm_num_groups = null/],
  [{ down_block_types: ['DownBlock2D'] }, /down_block_types needs one entry for each of the 4/],
  [{ attention_head_dim: [8, 8] }, /attention_head_dim needs one entry/],
  [{ attention_head_dim: 7 }, /7 attention heads.*320 channels/],
  [{ norm_num_groups: 48 }, /48 norm groups/],
  [{ cross_attention_dim: [768, 768, 768, 1024] }, /same at every level/],
  [{ sample_size: [64, 96] }, /sample_size/],
  [{ _class_name: 'SD3Transformer2DModel' }, /SD3Transformer2DModel/],
])('a UNet that is not built here is refused by its key: %o', (change, message) => {
  expect(() => unetConfig({ ...sd15, ...change })).toThrow(CheckpointError)
  expect(() => unetConfig({ ...sd15, ...change })).toThrow(message)
})

test.each([
  [{ shift_factor: 0.1159 }, /shift_factor.*Flux/],
  [{ use_quant_conv: false }, /use_quant_conv/],
  [{ mid_block_add_attention: false }, /mid_block_add_attention/],
  [{ latents_mean: [0, 0, 0, 0] }, /latents_mean/],
  [{ down_block_types: ['AttnDownEncoderBlock2D'] }, /down_block_types\.0/],
  [{ scaling_factor: 0 }, /scaling_factor/],
  [{ block_out_channels: [64, 128] }, /down_block_types needs one entry for each of the 2/],
  [{ norm_num_groups: 48 }, /48 norm groups/],
  [{ _class_name: 'AutoencoderTiny' }, /AutoencoderTiny/],
])('an autoencoder that is not built here is refused by its key: %o', (change, message) => {
  expect(() => autoencoderConfig(change)).toThrow(message)
})

test.each([
  [{ model_type: 't5' }, /model_type = "t5"/],
  [{ hidden_act: 'relu' }, /hidden_act = "relu"/],
  [{ hidden_size: 100, num_attention_heads: 12 }, /12 attention heads/],
  [null, /config = null/],
  [[], /config = \[\]/],
])('a text encoder that is not built here is refused by its key: %o', (raw, message) => {
  expect(() => textEncoderConfig(raw)).toThrow(message)
})

test('token ids come as numbers, lists of one, or not at all', () => {
  expect(textEncoderConfig({ bos_token_id: 0, eos_token_id: [2], pad_token_id: null })).toMatchObject({
    bos_token_id: 0,
    eos_token_id: 2,
    pad_token_id: 1,
  })
})

test('a scheduler config is kept as it is, wrong types named', () => {
  const raw = { _class_name: 'PNDMScheduler', beta_start: 0.00085, clip_sample: false, trained_betas: null }
  expect(schedulerConfig(raw)).toEqual(raw)
  expect(() => schedulerConfig({ steps_offset: 'one' })).toThrow(/steps_offset = "one"/)
  expect(() => schedulerConfig({ prediction_type: 'flow' })).toThrow(/prediction_type/)
})
