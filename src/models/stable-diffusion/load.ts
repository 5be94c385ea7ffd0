import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import {
  type DownloadOptions,
  fileExists,
  loadTensors,
  openModelFolder,
  openWeights,
  readComponentConfig,
  readJson,
  readText,
  resolveModel,
} from '../../checkpoint/index.js'
import { expectMemory, type RunOptions, type Tokenizer, throwIfAborted } from '../../core/index.js'
import type { NamedParameters } from '../../nn/index.js'
import { loadClipTokenizer } from '../../text/index.js'
import { textEncoderShapes } from '../clip/text-encoder.js'
import { autoencoderConfig, schedulerConfig, textEncoderConfig, unetConfig } from '../config.js'
import { weightBytes } from '../memory/estimate-memory.js'
import type { ParameterShapes } from '../shapes.js'
import { unetShapes } from '../unet/shapes.js'
import type { VaeMemoryOptions } from '../vae/memory.js'
import { autoencoderShapes } from '../vae/shapes.js'
import { type StableDiffusion, stableDiffusion } from './stable-diffusion.js'

/** How a model is found and loaded. */
export interface LoadOptions
  extends RunOptions,
    VaeMemoryOptions,
    Omit<DownloadOptions, keyof RunOptions | 'variant'> {
  /** `'fp16'`: the smaller files where there are any; they are computed with in float32. */
  readonly variant?: string
}

/**
 * Loads a Stable Diffusion 1.x or 2.x, or one fine-tuned from it, in the diffusers layout. Every tensor is read
 * from disk on its own.
 *
 * @param idOrFolder - a folder, or the id of a model on the Hugging Face Hub, which is downloaded once
 * @param options - variant, VAE tiling and slicing, download settings, `signal` and `onProgress`
 * @returns the model, owned by the caller: `dispose()` it
 * @throws CheckpointError when the folder is incomplete, of another kind, or its tensors do not fit its
 * configs; the error lists what is missing and mis-shaped
 * @throws MemoryBudgetError, before a weight is read, when they do not fit the backend's budget
 *
 * @example
 * ```ts
 * const sd = await loadStableDiffusion('./roentgen')
 * ```
 */
export async function loadStableDiffusion(
  idOrFolder: string,
  options: LoadOptions = {},
): Promise<StableDiffusion> {
  const folder = await resolveModel(idOrFolder, options)
  await openModelFolder(folder)
  const config = (component: string) => readComponentConfig(folder, component)
  const configs = {
    unet: unetConfig(await config('unet')),
    vae: autoencoderConfig(await config('vae')),
    text: textEncoderConfig(await config('text_encoder')),
    scheduler: schedulerConfig(await config('scheduler')),
  }
  const { unet, vae, text } = weightBytes(configs, tf.getBackend())
  expectMemory(unet + vae + text, `the weights of ${idOrFolder}`, useLarger)
  const tokenizer = await loadTokenizer(folder)
  const loaded: tf.Tensor[] = []
  const load = (component: string, shapes: ParameterShapes) =>
    loadWeights(folder, component, shapes, loaded, options)
  try {
    const weights = {
      unet: await load('unet', unetShapes(configs.unet)),
      vae: await load('vae', autoencoderShapes(configs.vae)),
      text: await load('text_encoder', textEncoderShapes(configs.text)),
    }
    return stableDiffusion({ configs, weights, tokenizer }, options)
  } catch (error) {
    tf.dispose(loaded)
    throw error
  }
}

const useLarger =
  'Use the tensorflow backend, or a smaller model; estimateMemory() tells what fits before anything is loaded.'

async function loadWeights(
  folder: string,
  component: string,
  shapes: ParameterShapes,
  loaded: tf.Tensor[],
  { variant, signal, onProgress }: LoadOptions,
): Promise<NamedParameters> {
  const weights = await openWeights(folder, component, { variant })
  try {
    const named = new Map<string, tf.Tensor>()
    for await (const { name, tensor } of loadTensors(weights, shapes)) {
      loaded.push(tensor)
      throwIfAborted(signal, 'loading a model')
      named.set(name, tensor)
      onProgress?.({ stage: `load ${component}`, done: named.size, total: shapes.size, detail: name })
    }
    return named
  } finally {
    await weights.close()
  }
}

async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = (file: string) => join(folder, 'tokenizer', file)
  const json = async (file: string) => ((await fileExists(path(file))) ? readJson(path(file)) : undefined)
  const merges = (await fileExists(path('merges.txt'))) ? await readText(path('merges.txt')) : undefined
  return loadClipTokenizer({
    vocab: await json('vocab.json'),
    merges,
    specialTokensMap: await json('special_tokens_map.json'),
    tokenizerConfig: await json('tokenizer_config.json'),
    tokenizerJson: await json('tokenizer.json'),
  })
}
