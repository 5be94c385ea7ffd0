import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { textToImage } from '../../src/editing/index.js'
import { schedulerFromConfig } from '../../src/schedulers/index.js'
import { digest, hashInput } from '../support/name-hash.js'
import { dummyStableDiffusion, sd1Scheduler } from './dummy.js'

// What diffusers' StableDiffusionPipeline gives for "a photo of a cat" without "blurry" in 5 steps at guidance 7.5,
// seed 0, on a Stable Diffusion 1 with weights that are functions of their names.
const request = { prompt: 'a photo of a cat', negativePrompt: 'blurry', seed: 0 }
const scheduler = (method: 'ddim' | 'pndm' | 'euler') =>
  schedulerFromConfig(sd1Scheduler, { steps: 5, method }).scheduler

type Golden = { mean: number; std: number; first: number[]; last: number[] }

/** The largest difference in units of the golden's deviation. */
async function deviation(x: tf.Tensor, golden: Golden): Promise<number> {
  const found = await digest(x)
  const wanted = [golden.mean, golden.std, ...golden.first, ...golden.last]
  const got = [found.mean, found.std, ...found.first, ...found.last]
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!))) / golden.std
}

const latents: [name: string, method: 'ddim' | 'pndm' | 'euler', guidance: number, golden: Golden][] = [
  [
    'DDIM',
    'ddim',
    7.5,
    {
      mean: -0.0696956,
      std: 7.2130424,
      first: [-4.504019, -6.654916, -0.920896, -1.837129],
      last: [-9.009867, 1.85264],
    },
  ],
  [
    'PNDM',
    'pndm',
    7.5,
    {
      mean: -0.3504844,
      std: 6.5380297,
      first: [-3.99625, -6.042978, 0.405199, -2.528789],
      last: [-8.703913, 1.662443],
    },
  ],
  [
    'Euler',
    'euler',
    7.5,
    {
      mean: -0.6581836,
      std: 21.1706977,
      first: [-10.687835, -24.639566, -0.270003, -8.348292],
      last: [-31.456657, 7.852417],
    },
  ],
  [
    'DDIM without guidance',
    'ddim',
    1,
    {
      mean: -0.2701758,
      std: 6.069984,
      first: [-3.926633, -4.878039, 2.68681, -0.507978],
      last: [-10.297659, 2.996039],
    },
  ],
]

describe('a whole model samples as diffusers does', () => {
  test.each(latents)('latents of %s', async (_, method, guidance, golden) => {
    using sd = dummyStableDiffusion()
    const made = await textToImage(sd, { ...request, scheduler: scheduler(method), guidance })
    const found = await deviation(made.latents, golden)
    tf.dispose([made.image, made.latents])
    expect(found).toBeLessThan(1e-5)
  })

  test('the image of DDIM', async () => {
    using sd = dummyStableDiffusion()
    const { image, latents } = await textToImage(sd, { ...request, scheduler: scheduler('ddim') })
    expect(image.shape).toEqual([1, 64, 64, 3])
    // Flat, since this golden's values are channels-last.
    const values = image.flatten()
    const found = await deviation(values, {
      mean: 0.4807634,
      std: 0.2716529,
      first: [0.471539, 0.501154, 0.523389, 0.499632],
      last: [0.531729, 0.210982],
    })
    tf.dispose([image, latents, values])
    expect(found).toBeLessThan(1e-5)
  })
})

test('the prompt is encoded as diffusers does', async () => {
  using sd = dummyStableDiffusion()
  const embeds = sd.encodePrompts([request.prompt])
  const found = await deviation(embeds, {
    mean: 0.0087628,
    std: 1.0343213,
    first: [-0.837029, 0.244922, 1.210268, 1.313222],
    last: [0.547574, -1.086625],
  })
  embeds.dispose()
  expect(found).toBeLessThan(1e-5)
})

test('an image is encoded as the scaled mean of its posterior', async () => {
  using sd = dummyStableDiffusion()
  const image = tf.tidy(() =>
    hashInput<tf.Rank.R4>('input.image', [1, 3, 64, 64], 1).add<tf.Tensor4D>(1).div<tf.Tensor4D>(2),
  )
  const encoded = sd.encodeImage(image)
  const found = await deviation(encoded, {
    mean: -0.0107574,
    std: 0.1191114,
    first: [0.059026, -0.236142, -0.060314, 0.005513],
    last: [0.001064, -0.074474],
  })
  tf.dispose([image, encoded])
  expect(found).toBeLessThan(1e-5)
})
