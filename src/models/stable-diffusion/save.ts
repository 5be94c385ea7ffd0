import { join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { writeJson, writeSafetensors } from '../../checkpoint/index.js'
import { writeAtomically } from '../../core/index.js'
import { type NamedParameters, toTorch } from '../../nn/index.js'
import type { StableDiffusionParts } from './stable-diffusion.js'

/** The tokenizer's files, as trained or read. */
export interface TokenizerFiles {
  /** Token to id, special tokens included. */
  readonly vocab: Readonly<Record<string, number>>
  /** The text of `merges.txt`, its version line included. */
  readonly merges: string
  /** `special_tokens_map.json` */
  readonly specialTokensMap: Readonly<Record<string, unknown>>
  /** `tokenizer_config.json` */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>
}

/** What is written beside the weights. */
export interface SaveOptions {
  /** `'f16'` halves the files; 'f32' by default. */
  readonly dtype?: 'f32' | 'f16'
  /** The tokenizer's files. */
  readonly tokenizer: TokenizerFiles
}

/**
 * Writes a Stable Diffusion as a folder that diffusers' `StableDiffusionPipeline.from_pretrained` and
 * {@link loadStableDiffusion} read. Each file is written whole or not at all, `model_index.json` last.
 *
 * @param folder - made where missing
 * @param parts - borrowed; the configs are written as they were read
 */
export async function saveStableDiffusion(
  folder: string,
  { configs, weights }: Pick<StableDiffusionParts, 'configs' | 'weights'>,
  { dtype = 'f32', tokenizer }: SaveOptions,
): Promise<void> {
  const path = (...parts: string[]) => join(folder, ...parts)
  await writeJson(path('unet', 'config.json'), configs.unet.raw)
  await writeJson(path('vae', 'config.json'), configs.vae.raw)
  await writeAtomically(path('text_encoder', 'config.json'), textConfigJson(configs.text.raw))
  await writeJson(path('scheduler', 'scheduler_config.json'), configs.scheduler)
  await writeJson(path('tokenizer', 'vocab.json'), tokenizer.vocab)
  await writeAtomically(path('tokenizer', 'merges.txt'), tokenizer.merges)
  await writeJson(path('tokenizer', 'special_tokens_map.json'), tokenizer.specialTokensMap)
  await writeJson(path('tokenizer', 'tokenizer_config.json'), tokenizer.tokenizerConfig)
  await writeWeights(path('unet', 'diffusion_pytorch_model.safetensors'), weights.unet, dtype)
  await writeWeights(path('vae', 'diffusion_pytorch_model.safetensors'), weights.vae, dtype)
  await writeWeights(path('text_encoder', 'model.safetensors'), weights.text, dtype)
  await writeJson(path('model_index.json'), {
    _class_name: 'StableDiffusionPipeline',
    _diffusers_version: '0.35.0',
    feature_extractor: [null, null],
    requires_safety_checker: false,
    safety_checker: [null, null],
    scheduler: ['diffusers', configs.scheduler._class_name],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  })
}

// transformers refuses a whole number where its config declares a float, and JSON.stringify writes 1 for 1.0.
function textConfigJson(raw: object): string {
  const floats =
    /("(?:initializer_factor|initializer_range|layer_norm_eps|attention_dropout)": -?\d+)(?=,?\n)/g
  return `${JSON.stringify(raw, null, 2)}\n`.replace(floats, '$1.0')
}

async function writeWeights(path: string, named: NamedParameters, dtype: 'f32' | 'f16'): Promise<void> {
  const tensors = [...named].map(([name, tensor]) => {
    const shape = torchShape(name, tensor)
    const data = async () => {
      const turned = toTorch(name, tensor)
      const values = await turned.data()
      turned.dispose()
      return values as Float32Array
    }
    return [name, { shape, data }] as const
  })
  await writeSafetensors(path, new Map(tensors), { dtype })
}

function torchShape(name: string, tensor: tf.Tensor): readonly number[] {
  const turned = toTorch(name, tensor)
  const { shape } = turned
  turned.dispose()
  return shape
}
