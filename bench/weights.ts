import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileExists, writeJson, writeSafetensors } from 'contrafact/checkpoint'
import {
  autoencoderConfig,
  autoencoderShapes,
  textEncoderConfig,
  textEncoderShapes,
  unetConfig,
  unetShapes,
} from 'contrafact/models'

// The configs of Stable Diffusion 1.5, as far as its classes' defaults do not say them.
const unet = {
  _class_name: 'UNet2DConditionModel',
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  layers_per_block: 2,
  block_out_channels: [320, 640, 1280, 1280],
  cross_attention_dim: 768,
  attention_head_dim: 8,
  norm_num_groups: 32,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
}
const vae = {
  _class_name: 'AutoencoderKL',
  sample_size: 512,
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  block_out_channels: [128, 256, 512, 512],
  norm_num_groups: 32,
  scaling_factor: 0.18215,
  down_block_types: Array(4).fill('DownEncoderBlock2D'),
  up_block_types: Array(4).fill('UpDecoderBlock2D'),
}
const text = {
  architectures: ['CLIPTextModel'],
  model_type: 'clip_text_model',
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  projection_dim: 768,
  vocab_size: 49408,
  hidden_act: 'quick_gelu',
  max_position_embeddings: 77,
  bos_token_id: 49406,
  eos_token_id: 49407,
  pad_token_id: 49407,
}
const scheduler = {
  _class_name: 'DDIMScheduler',
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  clip_sample: false,
  set_alpha_to_one: false,
  steps_offset: 1,
}
const tokenizerFiles = ['vocab.json', 'merges.txt', 'special_tokens_map.json', 'tokenizer_config.json']

/**
 * A folder of the size and layout of Stable Diffusion 1.5 with random weights, made once: 4.3 GB in float32.
 *
 * @returns the folder
 */
export async function randomStableDiffusion(cache: string, dtype: 'f32' | 'f16'): Promise<string> {
  const folder = join(cache, `stable-diffusion-1.5-random-${dtype}`)
  if (await fileExists(join(folder, 'model_index.json'))) return folder
  const building = `${folder}.part`
  await rm(building, { recursive: true, force: true })
  await mkdir(join(building, 'tokenizer'), { recursive: true })
  const phantom = join(import.meta.dirname, '../examples/phantom/model/tokenizer')
  for (const file of tokenizerFiles) await copyFile(join(phantom, file), join(building, 'tokenizer', file))
  await writeJson(join(building, 'scheduler', 'scheduler_config.json'), scheduler)
  const parts = [
    ['unet', unet, unetShapes(unetConfig(unet)), 'diffusion_pytorch_model'],
    ['vae', vae, autoencoderShapes(autoencoderConfig(vae)), 'diffusion_pytorch_model'],
    ['text_encoder', text, textEncoderShapes(textEncoderConfig(text)), 'model'],
  ] as const
  for (const [component, config, shapes, file] of parts) {
    await writeJson(join(building, component, 'config.json'), config)
    const tensors = [...shapes].map(([name, shape], i) => {
      const data = async () => randomWeights(name, shape, 1 + i)
      return [name, { shape, data }] as const
    })
    await writeSafetensors(join(building, component, `${file}.safetensors`), new Map(tensors), { dtype })
  }
  await writeJson(join(building, 'model_index.json'), {
    _class_name: 'StableDiffusionPipeline',
    _diffusers_version: '0.35.0',
    scheduler: ['diffusers', 'DDIMScheduler'],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  })
  await rename(building, folder)
  return folder
}

// Uniform with the deviation that keeps a layer's output near its input's; norms are the identity.
function randomWeights(name: string, shape: readonly number[], seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1))
  if (shape.length === 1) return values.fill(name.endsWith('.weight') ? 1 : 0)
  const fanIn = shape.slice(1).reduce((product, n) => product * n, 1)
  const reach = Math.sqrt(3 / fanIn)
  let state = (seed * 0x9e3779b9) | 1
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    values[i] = reach * ((state >>> 0) / 2 ** 31 - 1)
  }
  return values
}
