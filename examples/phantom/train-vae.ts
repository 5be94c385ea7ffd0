import * as tf from '@tensorflow/tfjs'
import type { RunOptions } from 'contrafact/core'
import { autoencoderConfig, autoencoderShapes } from 'contrafact/models'
import { fitAutoencoder, initialParameters, type TrainingState } from 'contrafact/training'
import { vaeConfig } from './configs.js'
import { phantomBatch } from './dataset.js'

/** Settings of the shipped autoencoder. */
export const vaeSettings = {
  stage: 'vae',
  seed: 0,
  steps: 1200,
  batch: 8,
  learningRate: 1e-3,
  warmup: 50,
  schedule: 'cosine',
  klWeight: 1e-6,
  ema: 0.99,
} as const

/** Fits the autoencoder to freshly drawn training phantoms; saves itself to `path` and resumes from there. */
export async function trainVae(path: string, options: RunOptions): Promise<TrainingState> {
  const config = autoencoderConfig(vaeConfig)
  const initial = initialParameters(autoencoderShapes(config), vaeSettings.seed)
  try {
    return await fitAutoencoder(
      config,
      initial,
      (_step, random) => {
        const indices = Array.from(random.integers(vaeSettings.batch, 0, 2 ** 20))
        const { images, shape } = phantomBatch(indices)
        return tf.tensor4d(images, [...shape])
      },
      { ...vaeSettings, ...options, settings: vaeSettings, checkpoint: { path, every: 50 } },
    )
  } finally {
    tf.dispose([...initial.values()])
  }
}
