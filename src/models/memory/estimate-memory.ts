import { defaultSelfResolution, expectNumber } from '../../core/index.js'
import { textEncoderShapes } from '../clip/text-encoder.js'
import type { AutoencoderConfig, TextEncoderConfig, UNetConfig } from '../config.js'
import type { ParameterShapes } from '../shapes.js'
import { unetShapes } from '../unet/shapes.js'
import { autoencoderShapes } from '../vae/shapes.js'
import { autoencoderActivations, float, textActivations, unetActivations } from './activations.js'

/** The configs that memory depends on; a loaded model's `configs` will do. */
export interface MemoryConfigs {
  /** `unet/config.json` */
  readonly unet: UNetConfig
  /** `vae/config.json` */
  readonly vae: AutoencoderConfig
  /** `text_encoder/config.json` */
  readonly text: TextEncoderConfig
}

/** What is going to be done. */
export interface MemoryTask {
  /**
   * `'generate'`: a prompt to a picture; `'edit'`: a picture inverted and edited, both branches in one batch;
   * `'null-text'`: an edit whose inversion fits embeddings, which keeps what the backward pass needs.
   */
  readonly kind: 'generate' | 'edit' | 'null-text'
  /** Pixels, `[height, width]`; the size that the model was trained on. */
  readonly size?: readonly [number, number]
  /** Pictures at once; 1. */
  readonly batch?: number
  /** Where it will run; wasm keeps a packed copy of every weight while there is room. `'tensorflow'`. */
  readonly backend?: 'tensorflow' | 'webgpu' | 'wasm'
}

/** Bytes of each stage of a task. */
export interface MemoryEstimate {
  /** Held from loading to disposal. */
  readonly weights: Readonly<Record<'unet' | 'vae' | 'text', number>>
  /** Held on top of the weights while a stage runs. Stages run one after another. */
  readonly stages: readonly MemoryStage[]
  /** The most that is held at once: all weights and the largest stage. */
  readonly peak: number
}

/** One stage of a task. */
export interface MemoryStage {
  /** `'encode prompts'`, `'encode image'`, `'denoise'`, `'fit embeddings'`, `'decode'` */
  readonly name: string
  /** Tensors alive at its peak, weights aside. */
  readonly bytes: number
}

/** Bytes held for one byte of weights once they have been used: XNNPACK packs, and keeps, a padded copy. */
const weightFactor = { tensorflow: 1, webgpu: 1, wasm: 2.1 } as const

/**
 * How much memory a task will take, from the configs alone: nothing is loaded or allocated.
 *
 * Weights are exact. Activations are an upper estimate of the tensors alive at once, with attention's scores written
 * out whole where an edit replaces them; the tests hold it between what a run takes and four times that (1.07 to 1.81 times
 * when written), or eight times where attention has a kernel of the library's own.
 *
 * @param configs - of the UNet, the VAE and the text encoder
 * @param task - what is going to be done, where, at which size
 * @returns bytes, per stage and at the peak
 * @throws ArgumentError on a size or batch that is not a positive whole number
 *
 * @example
 * ```ts
 * const model = publishedModels['Stable Diffusion 1.5']
 * const { peak, stages } = estimateMemory(model, { kind: 'edit', size: [512, 512] })
 * ```
 */
export function estimateMemory(configs: MemoryConfigs, task: MemoryTask): MemoryEstimate {
  const { unet, vae, text } = configs
  const { kind, batch = 1, backend = 'tensorflow' } = task
  const factor = 2 ** (vae.block_out_channels.length - 1)
  const side = (unet.sample_size ?? 64) * factor
  const [height, width] = task.size ?? [side, side]
  for (const [what, n] of Object.entries({ batch, height, width }))
    expectNumber(n, { min: 1, integer: true }, 'estimateMemory', what)
  const weights = weightBytes(configs, backend)
  const latents = { height: Math.ceil(height / factor), width: Math.ceil(width / factor) }
  const image = { batch, height: latents.height * factor, width: latents.width * factor }
  // Guidance doubles the batch; an edit runs the source's branch beside its own.
  const branches = kind === 'generate' ? 2 : 4
  const seenUpTo = kind === 'generate' ? 0 : defaultSelfResolution([latents.height, latents.width])
  const { forward } = unetActivations(unet, { batch: batch * branches, seenUpTo, ...latents })
  const fitted = unetActivations(unet, { batch, ...latents }).backward
  const coder = autoencoderActivations(vae, image)
  const stages: readonly MemoryStage[] = [
    { name: 'encode prompts', bytes: textActivations(text, batch * branches) },
    ...(kind === 'generate' ? [] : [{ name: 'encode image', bytes: coder.encode }]),
    ...(kind === 'null-text' ? [{ name: 'fit embeddings', bytes: fitted }] : []),
    { name: 'denoise', bytes: forward },
    { name: 'decode', bytes: coder.decode },
  ]
  const resident = weights.unet + weights.vae + weights.text
  return { weights, stages, peak: resident + Math.max(...stages.map(({ bytes }) => bytes)) }
}

/**
 * Bytes that a model's weights hold once they have been used.
 *
 * @param backend - the name of the active backend; one that is not known counts as `'tensorflow'`
 */
export function weightBytes({ unet, vae, text }: MemoryConfigs, backend: string): MemoryEstimate['weights'] {
  const held = weightFactor[backend as keyof typeof weightFactor] ?? 1
  return {
    unet: held * bytesOf(unetShapes(unet)),
    vae: held * bytesOf(autoencoderShapes(vae)),
    text: held * bytesOf(textEncoderShapes(text)),
  }
}

function bytesOf(shapes: ParameterShapes): number {
  let total = 0
  for (const shape of shapes.values()) total += float * shape.reduce((product, n) => product * n, 1)
  return total
}
