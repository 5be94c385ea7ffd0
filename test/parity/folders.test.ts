import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { type LatentDiffusion, latentNoise, type NoiseSource } from '../../src/core/index.js'
import { imageToImage, textToImage } from '../../src/editing/index.js'
import {
  type AutoencoderParameters,
  encode,
  loadStableDiffusion,
  type StableDiffusion,
  samplePosterior,
} from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { schedulerFromConfig } from '../../src/schedulers/index.js'
import { hashInput, torchValues } from '../support/name-hash.js'

// Folders that diffusers saved, and what its pipelines gave for them: test/fixtures/folders.py.
interface Expected {
  readonly request: {
    readonly prompt: string
    readonly negative_prompt: string
    readonly num_inference_steps: number
    readonly guidance_scale: number
    readonly seed: number
  }
  readonly textToImage: Record<string, { readonly latents: number[]; readonly image: number[] }>
  readonly imageToImage: Record<
    'ddim' | 'pndm' | 'euler',
    { readonly mean: number[]; readonly sample: number[] }
  >
}

const fixtures = new URL('../fixtures/', import.meta.url)
const expected: Expected = JSON.parse(readFileSync(new URL('folders.json', fixtures), 'utf8'))
const load = (folder: string, variant?: string) =>
  loadStableDiffusion(fileURLToPath(new URL(`folders/${folder}`, fixtures)), variant ? { variant } : {})

const {
  prompt,
  negative_prompt: negativePrompt,
  guidance_scale: guidance,
  num_inference_steps,
  seed,
} = expected.request
const request = { prompt, negativePrompt, guidance, seed }

function largestDifference(found: ArrayLike<number>, wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length)
  return Math.max(...wanted.map((value, i) => Math.abs(found[i]! - value)))
}

describe('a folder that diffusers saved gives the picture that it gives there', () => {
  test.each([
    { saved: 'float32, text keys without prefix', folder: 'sd1', golden: 'sd1' },
    { saved: 'variant fp16', folder: 'sd1', golden: 'sd1 fp16', variant: 'fp16' },
    { saved: 'as 1.4 and 1.5 were published', folder: 'sd1-published', golden: 'sd1' },
    { saved: 'Stable Diffusion 2, float16, in shards', folder: 'sd2', golden: 'sd2' },
  ])('$saved', async ({ folder, golden, variant }) => {
    using sd = await load(folder, variant)
    const { scheduler, patched } = schedulerFromConfig(sd.configs.scheduler, { steps: num_inference_steps })
    expect(patched).toEqual([])
    const { image, latents } = await textToImage(sd, { ...request, scheduler, size: [16, 16] })
    const wanted = expected.textToImage[golden]!
    const latentError = largestDifference(await torchValues(latents), wanted.latents)
    const imageError = largestDifference(await image.data(), wanted.image)
    tf.dispose([image, latents])
    if (process.env.SHOW) console.log(folder, latentError, imageError)
    expect(latentError).toBeLessThan(1e-4)
    expect(imageError).toBeLessThan(1e-4)
  })
})

/** The model with an autoencoder that draws from the posterior, as diffusers' img2img does, in place of its mean. */
function drawingFromPosterior(sd: StableDiffusion, noise: NoiseSource): LatentDiffusion {
  const vae = parameterTree<AutoencoderParameters>(sd.weights.vae)
  const { scaling_factor } = sd.configs.vae
  return {
    ...sd,
    encodeImage: (image) =>
      tf.tidy(() => {
        const posterior = encode(vae, sd.configs.vae, image.mul<tf.Tensor4D>(2).sub<tf.Tensor4D>(1))
        return samplePosterior(posterior, noise(posterior.mean.shape)).mul(scaling_factor)
      }),
  }
}

describe('image to image', () => {
  const image = () =>
    tf.tidy(() =>
      hashInput<tf.Rank.R4>('input.image', [1, 3, 16, 16], 1).div<tf.Tensor4D>(2).add<tf.Tensor4D>(0.5),
    )

  // diffusers' PNDM runs one interval off when it starts in the middle of its schedule; ours does not.
  test.each(['ddim', 'euler'] as const)('%s, from the mean of the posterior', async (method) => {
    using sd = await load('sd1')
    const { scheduler } = schedulerFromConfig(sd.configs.scheduler, { steps: 5, method })
    const input = image()
    const made = await imageToImage(sd, input, { ...request, scheduler, strength: 0.6 })
    const error = largestDifference(await torchValues(made.latents), expected.imageToImage[method].mean)
    tf.dispose([input, made.image, made.latents])
    expect(error).toBeLessThan(1e-4)
  })

  test.each(['ddim', 'euler'] as const)(
    '%s, from a draw of the posterior, which diffusers draws before the noise',
    async (method) => {
      using sd = await load('sd1')
      const { scheduler } = schedulerFromConfig(sd.configs.scheduler, { steps: 5, method })
      const input = image()
      const source = latentNoise(seed)
      const [first, second] = [source([1, 8, 8, 4]), source([1, 8, 8, 4])]
      const model = drawingFromPosterior(sd, () => first)
      const made = await imageToImage(model, input, { ...request, scheduler, strength: 0.6, noise: second })
      const error = largestDifference(await torchValues(made.latents), expected.imageToImage[method].sample)
      tf.dispose([input, first, second, made.image, made.latents])
      expect(error).toBeLessThan(1e-4)
    },
  )
})
