import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { encodeSafetensors } from '../../src/checkpoint/index.js'

/** A folder that is gone after the test, with these files in it. */
export async function temporaryFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'contrafact-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  return folder
}

/** A safetensors file with any header, true or not. */
export function rawSafetensors(header: unknown, dataLength: number, length?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(length ?? BigInt(json.length))
  return new Uint8Array(Buffer.concat([start, json, Buffer.alloc(dataLength)]))
}

/** A safetensors file with these tensors, filled with 0, 1, 2, ... */
export function countingSafetensors(
  shapes: Readonly<Record<string, readonly number[]>>,
): Promise<Uint8Array> {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)
    return [name, { shape, data }] as const
  })
  return encodeSafetensors(new Map(tensors))
}

/** A complete model folder with tiny, meaningless weights. */
export async function tinyModel(
  index: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, string | Uint8Array>> {
  const weights = await countingSafetensors({ 'conv_in.weight': [2, 4, 3, 3], 'conv_in.bias': [2] })
  const components = {
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    scheduler: ['diffusers', 'PNDMScheduler'],
    safety_checker: [null, null],
    requires_safety_checker: false,
  }
  return {
    'model_index.json': JSON.stringify({ _class_name: 'StableDiffusionPipeline', ...components, ...index }),
    'unet/config.json': '{"in_channels": 4}',
    'unet/diffusion_pytorch_model.safetensors': weights,
    'vae/config.json': '{}',
    'vae/diffusion_pytorch_model.safetensors': weights,
    'text_encoder/config.json': '{}',
    'text_encoder/model.safetensors': weights,
    'tokenizer/vocab.json': '{}',
    'tokenizer/merges.txt': '#version: 0.2\n',
    'scheduler/scheduler_config.json': '{"beta_start": 0.00085}',
  }
}
