import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  openModelFolder,
  readComponentConfig,
  readJson,
  readText,
  writeJson,
} from '../../src/checkpoint/index.js'
import { CheckpointError } from '../../src/core/index.js'
import { temporaryFolder, tinyModel } from './files.js'

test('a folder is opened with its components; those saved as none, and settings, are left out', async () => {
  const folder = await temporaryFolder(await tinyModel())
  const { path, pipeline, components } = await openModelFolder(folder)
  expect([path, pipeline]).toEqual([folder, 'StableDiffusionPipeline'])
  expect([...components.keys()].sort()).toEqual(['scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae'])
  expect(components.get('scheduler')).toEqual({ library: 'diffusers', className: 'PNDMScheduler' })
})

test('a component has the config file that diffusers gives it', async () => {
  const folder = await temporaryFolder(await tinyModel())
  expect(await readComponentConfig(folder, 'unet')).toEqual({ in_channels: 4 })
  expect(await readComponentConfig(folder, 'scheduler')).toEqual({ beta_start: 0.00085 })
  await expect(readComponentConfig(folder, 'tokenizer')).rejects.toThrow(/tokenizer_config\.json \(ENOENT\)/)
})

test.each([
  [{ _class_name: 'StableDiffusionXLPipeline' }, /Stable Diffusion XL/],
  [
    { text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'] },
    /with text_encoder_2.*Stable Diffusion XL/,
  ],
  [{ _class_name: 'StableDiffusion3Pipeline' }, /Stable Diffusion 3/],
  [{ _class_name: 'FluxPipeline' }, /Flux/],
  [{ _class_name: 'StableDiffusionUpscalePipeline' }, /upscaler/],
  [{ _class_name: 'StableDiffusionLatentUpscalePipeline' }, /upscaler/],
  [{ low_res_scheduler: ['diffusers', 'DDPMScheduler'] }, /upscaler/],
  [{ _class_name: 'Custom', transformer: ['diffusers', 'SD3Transformer2DModel'] }, /diffusion transformer/],
  [{ unet: ['diffusers', 'UNet2DModel'] }, /unet is UNet2DModel/],
  [{ vae: ['diffusers', 'AutoencoderTiny'] }, /vae is AutoencoderTiny/],
  [{ text_encoder: ['transformers', 'T5EncoderModel'] }, /text_encoder is T5EncoderModel/],
])('another family is refused by name: %o', async (index, message) => {
  const folder = await temporaryFolder(await tinyModel(index))
  await expect(openModelFolder(folder)).rejects.toThrow(message)
})

test.each(['StableDiffusionInpaintPipeline', 'StableDiffusionImg2ImgPipeline', 'MyOwnPipeline', undefined])(
  'the pipeline class does not matter where the components fit: %s',
  async (_class_name) => {
    const folder = await temporaryFolder(await tinyModel({ _class_name }))
    await expect(openModelFolder(folder)).resolves.toBeDefined()
  },
)

test('missing pieces are listed, beside what is there', async () => {
  const folder = await temporaryFolder(await tinyModel({ scheduler: [null, null] }))
  await rm(join(folder, 'vae'), { recursive: true })
  await expect(openModelFolder(folder)).rejects.toThrow(
    /without vae\/, scheduler \(not in model_index\.json\); it holds model_index\.json, scheduler, text_encoder, tokenizer, unet/,
  )
})

test('what is no model folder is named, with the way to make one', async () => {
  const folder = await temporaryFolder({ 'a/sd.safetensors': '', 'b/sd.ckpt': '', 'c/notes.txt': '' })
  await expect(openModelFolder(join(folder, 'a'))).rejects.toThrow(/from_single_file\('sd\.safetensors'\)/)
  await expect(openModelFolder(join(folder, 'b'))).rejects.toThrow(/sd\.ckpt, a Python pickle/)
  await expect(openModelFolder(join(folder, 'c'))).rejects.toThrow(/holds notes\.txt/)
  await expect(openModelFolder(join(folder, 'd'))).rejects.toThrow(/is no folder/)
  await expect(openModelFolder(join(folder, 'sd.ckpt'))).rejects.toThrow(/Python pickle/)
})

test.each([
  ['{"a": ', /must be JSON/],
  ['[1]', /must hold a JSON object/],
  ['null', /must hold a JSON object/],
  ['version https://git-lfs.github.com/spec/v1\nsize 541\n', /git-LFS pointer that stands for 541 bytes/],
  [new Uint8Array([0x7b, 0xff, 0x7d]), /not UTF-8/],
])('a damaged index is a typed error: %s', async (content, message) => {
  const folder = await temporaryFolder({ 'model_index.json': content })
  await expect(openModelFolder(folder)).rejects.toThrow(message)
  await expect(openModelFolder(folder)).rejects.toThrow(CheckpointError)
})

test('JSON is written as Python writes it, and read back the same', async () => {
  const folder = await temporaryFolder()
  const value = { b: [1, null], a: 'ü', nested: { empty: [] } }
  await writeJson(join(folder, 'deep/config.json'), value)
  expect(await readJson(join(folder, 'deep/config.json'))).toEqual(value)
  const text = await readText(join(folder, 'deep/config.json'))
  expect(text).toBe(await readFile(join(folder, 'deep/config.json'), 'utf8'))
  expect(text.startsWith('{\n  "b": [\n    1,')).toBe(true)
  expect(text.endsWith('}\n')).toBe(true)
})
