import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import {
  fileExists,
  loadTensors,
  openWeights,
  readJson,
  readText,
  resolveModel,
} from '../../checkpoint/index.js'
import { type RunOptions, throwIfAborted } from '../../core/index.js'
import { loadClipTokenizer } from '../../text/index.js'
import { clipConfig } from '../config/clip.js'
import { type Clip, clip, clipShapes } from './clip.js'
import type { ClipOptions } from './clip-pixels.js'

/**
 * Loads a whole CLIP (both towers and their projections) in the layout of transformers: `config.json`,
 * `model.safetensors` and the tokenizer's files in one folder.
 *
 * @param idOrFolder - a folder, or the id of a model on the Hugging Face Hub, which is downloaded once
 * @param options - whose resize; `signal` and `onProgress`
 * @returns owned by the caller: `dispose()` it
 * @throws CheckpointError listing what is missing or mis-shaped
 *
 * @example
 * ```ts
 * using embedder = await loadClip('./clip-vit-large-patch14')
 * const { value } = await clipScore(embedder, edited, captions)
 * ```
 */
export async function loadClip(idOrFolder: string, options: ClipOptions & RunOptions = {}): Promise<Clip> {
  const folder = await resolveModel(idOrFolder, options)
  const path = (file: string) => join(folder, file)
  const json = async (file: string) => ((await fileExists(path(file))) ? readJson(path(file)) : undefined)
  const config = clipConfig(await readJson(path('config.json')))
  const tokenizer = await loadClipTokenizer({
    vocab: await json('vocab.json'),
    merges: (await fileExists(path('merges.txt'))) ? await readText(path('merges.txt')) : undefined,
    specialTokensMap: await json('special_tokens_map.json'),
    tokenizerConfig: await json('tokenizer_config.json'),
    tokenizerJson: await json('tokenizer.json'),
  })
  const shapes = clipShapes(config)
  const named = new Map<string, tf.Tensor>()
  const weights = await openWeights(folder, '.')
  try {
    for await (const { name, tensor } of loadTensors(weights, shapes)) {
      named.set(name, tensor)
      throwIfAborted(options.signal, 'loading CLIP')
      options.onProgress?.({ stage: 'load clip', done: named.size, total: shapes.size, detail: name })
    }
    return clip({ config, weights: named, tokenizer }, options)
  } catch (error) {
    tf.dispose([...named.values()])
    throw error
  } finally {
    await weights.close()
  }
}
