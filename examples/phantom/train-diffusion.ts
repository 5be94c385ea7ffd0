import * as tf from '@tensorflow/tfjs'
import { fileExists, openSafetensors, writeSafetensors } from 'contrafact/checkpoint'
import { type RunOptions, type TorchRandom, torchRandn } from 'contrafact/core'
import {
  type AutoencoderConfig,
  type AutoencoderParameters,
  encodeMean,
  textEncoderConfig,
  textEncoderShapes,
  unetConfig,
  unetShapes,
} from 'contrafact/models'
import { type NamedParameters, parameterTree } from 'contrafact/nn'
import { cumulativeAlphas } from 'contrafact/schedulers'
import {
  type CaptionedLatents,
  conditioningRatio,
  type DiffusionTraining,
  fitDiffusion,
  initialParameters,
  joinParameters,
  type TrainingState,
} from 'contrafact/training'
import { caption } from './captions.js'
import { patient, seedOf } from './causal-graph.js'
import { textEncoderConfigJson, unetConfigJson } from './configs.js'
import { phantomBatch } from './dataset.js'
import { phantomTokenizer } from './vocabulary.js'

/** Settings of the shipped UNet and text encoder; the number of steps is the caller's. */
export const diffusionSettings = {
  stage: 'diffusion',
  seed: 1,
  phantoms: 6000,
  batch: 16,
  learningRate: 4e-4,
  warmup: 100,
  captionDropout: 0.1,
  ema: 0.999,
  latentDeviation: 0.5,
} as const

/** One measurement of {@link conditioningRatio} at t = 800. */
export interface RatioPoint {
  readonly step: number
  readonly ratio: number
}

/** The model in training: v-prediction, and the vocabulary of the captions. */
export function phantomDiffusion(): DiffusionTraining {
  const { files, tokenizer } = phantomTokenizer()
  return {
    unet: unetConfig(unetConfigJson),
    text: textEncoderConfig({ ...textEncoderConfigJson, ...tokenIds(files.vocab) }),
    tokenizer,
    alphasCumprod: cumulativeAlphas({}),
    prediction: 'v',
  }
}

/** The ids that the text encoder's config must name. */
export function tokenIds(vocab: Readonly<Record<string, number>>) {
  return {
    bos_token_id: vocab['<|startoftext|>'],
    eos_token_id: vocab['<|endoftext|>'],
    pad_token_id: vocab['<|endoftext|>'],
    vocab_size: Object.keys(vocab).length,
  }
}

/**
 * Encodes the training phantoms once: unscaled latents `[phantoms, 16, 16, 4]`, kept at `path`.
 * Owned by the caller.
 */
export async function trainingLatents(
  path: string,
  config: AutoencoderConfig,
  weights: NamedParameters,
  { onProgress }: RunOptions,
): Promise<tf.Tensor4D> {
  const { phantoms } = diffusionSettings
  if (await fileExists(path)) {
    const file = await openSafetensors(path)
    const shape = file.entries.get('latents')!.shape as [number, number, number, number]
    const values = (await file.read('latents')) as Float32Array
    await file.close()
    return tf.tensor4d(values, shape)
  }
  const parameters = parameterTree<AutoencoderParameters>(weights)
  const parts: tf.Tensor4D[] = []
  const size = 40
  for (let start = 0; start < phantoms; start += size) {
    const { images, shape } = phantomBatch(Array.from({ length: size }, (_, i) => start + i))
    const encoded = tf.tidy(() =>
      encodeMean(parameters, config, tf.sub(tf.mul(tf.tensor4d(images, [...shape]), 2), 1)),
    )
    parts.push(encoded)
    onProgress?.({ stage: 'encode phantoms', done: start + size, total: phantoms })
  }
  const latents = tf.concat(parts)
  tf.dispose(parts)
  await writeSafetensors(path, new Map([['latents', latents]]))
  return latents
}

/** Latents times this have the deviation that the settings ask for; it becomes the VAE's `scaling_factor`. */
export async function scalingFactor(latents: tf.Tensor4D): Promise<number> {
  const variance = tf.tidy(() => tf.moments(latents).variance)
  const [value] = await variance.data()
  variance.dispose()
  return diffusionSettings.latentDeviation / Math.sqrt(value!)
}

/** Fits UNet and text encoder together; saves itself to `path` and resumes from there. */
export async function trainDiffusion(
  path: string,
  model: DiffusionTraining,
  latents: tf.Tensor4D,
  held: CaptionedLatents,
  steps: number,
  onRatio: (point: RatioPoint) => void,
  options: RunOptions,
): Promise<TrainingState> {
  const initial = joinParameters({
    unet: initialParameters(unetShapes(model.unet), 10),
    text_encoder: initialParameters(textEncoderShapes(model.text), 11),
  })
  try {
    return await fitDiffusion(model, initial, (step, random) => draw(latents, step, random), {
      ...diffusionSettings,
      ...options,
      steps,
      settings: diffusionSettings,
      checkpoint: { path, every: 100 },
      onCheckpoint: async ({ step, average }) => {
        onRatio({ step, ratio: await conditioningRatio(model, average, held, 800, torchRandn(7)) })
      },
    })
  } finally {
    tf.dispose([...initial.values()])
  }
}

// A random batch of the encoded phantoms, each under a fresh caption.
function draw(latents: tf.Tensor4D, step: number, random: TorchRandom): CaptionedLatents {
  const indices = Array.from(random.integers(diffusionSettings.batch, 0, diffusionSettings.phantoms))
  return {
    latents: tf.tidy(() => tf.gather(latents, tf.tensor1d(indices, 'int32'))),
    captions: captionsOf(indices, step + 1),
  }
}

/** Captions of training phantoms; another seed words the same pictures otherwise. */
export function captionsOf(indices: readonly number[], captionSeed: number): string[] {
  return indices.map((index) => {
    const { attributes, seed } = patient(seedOf('training', index))
    return caption(attributes, seed + 2 ** 32 * captionSeed)
  })
}
