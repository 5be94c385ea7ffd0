import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { AbortError, ArgumentError, type Denoiser, latentNoise, ShapeError } from '../../src/core/index.js'
import { type GeneratedImage, imageToImage, sample, textToImage } from '../../src/editing/index.js'
import {
  ddim,
  ddpm,
  dpmSolverPlusPlus,
  euler,
  eulerAncestral,
  lcm,
  pndm,
  type Scheduler,
} from '../../src/schedulers/index.js'
import { difference, toyDenoiser, toyImage, toyModel } from '../inversion/toy-model.js'

const scheduler = ddim({ steps: 4 })
const prompt = 'heart and line'
const size = [32, 32] as const
const free = (...all: GeneratedImage[]) => tf.dispose(all.flatMap(({ image, latents }) => [image, latents]))

describe('sample', () => {
  const schedulers: readonly Scheduler[] = [
    ...[
      ddim({ steps: 4 }),
      ddim({ steps: 4, eta: 1 }),
      ddpm({ steps: 4 }),
      pndm({ steps: 4 }),
      lcm({ steps: 4 }),
    ],
    ...[dpmSolverPlusPlus({ steps: 4 }), euler({ steps: 4 }), eulerAncestral({ steps: 4 })],
  ]

  it.each(schedulers.map((one) => [one.name, one] as const))('runs %s, and half of it', async (_, one) => {
    const x = latentNoise(1)([1, 2, 2, 4])
    for (const from of [0, 2]) {
      const asked: number[] = []
      const predict = (z: tf.Tensor4D, t: number) => {
        asked.push(t)
        return tf.tidy(() => z.sin().mul<tf.Tensor4D>(0.9))
      }
      const got = await sample(predict, { scheduler: one, x, from, noise: latentNoise(2) })
      expect(asked).toEqual(one.timesteps.slice(from))
      expect((await got.data()).every(Number.isFinite)).toBe(true)
      got.dispose()
    }
    x.dispose()
  })

  it('is the loop written out', async () => {
    const predict = (z: tf.Tensor4D) => tf.tidy(() => z.tanh())
    const x = latentNoise(3)([1, 2, 2, 4])
    const got = await sample(predict, { scheduler, x })
    const by = tf.tidy(() =>
      [0, 1, 2, 3].reduce((z, index) => scheduler.step({ x: z, output: predict(z), index }).x, x),
    )
    expect(difference(got, by)).toBe(0)
    tf.dispose([x, got, by])
  })

  it('refuses a first step outside the schedule, and missing noise', async () => {
    const x = tf.zeros([1, 1, 1, 4]) as tf.Tensor4D
    const predict = (z: tf.Tensor4D) => z.clone()
    await expect(sample(predict, { scheduler, x, from: 4 })).rejects.toThrow(ArgumentError)
    await expect(sample(predict, { scheduler: ddpm({ steps: 2 }), x })).rejects.toThrow(ArgumentError)
    x.dispose()
  })
})

describe('textToImage', () => {
  it('guides from the negative prompt, in one call of two halves', async () => {
    const calls: number[] = []
    const contexts: number[][] = []
    const network = toyDenoiser(calls)
    const spy: Denoiser = (x, t, context) => {
      contexts.push([...context.dataSync()])
      return network(x, t, context)
    }
    const model = toyModel(spy)
    const options = { prompt: 'heart', negativePrompt: 'line', scheduler, size, seed: 7 }
    const one = await textToImage(model, options)
    expect(calls).toEqual([2, 2, 2, 2])
    expect(one).toMatchObject({ steps: 4, evaluations: 8, truncated: '' })
    const expected = model.encodePrompts(['line', 'heart'])
    expect(contexts[0]).toEqual([...expected.dataSync()])
    expected.dispose()
    free(one)
  })

  it('asks for half at a guidance of 1', async () => {
    const calls: number[] = []
    const one = await textToImage(toyModel(toyDenoiser(calls)), { prompt, scheduler, size, guidance: 1 })
    expect(calls).toEqual([1, 1, 1, 1])
    expect(one.evaluations).toBe(4)
    free(one)
  })

  it('starts from the noise of the seed, or the noise given', async () => {
    const model = toyModel()
    const noise = latentNoise(5)([1, 4, 4, 4])
    const options = { prompt, scheduler: euler({ steps: 3 }), size }
    const all = [
      await textToImage(model, { ...options, seed: 5 }),
      await textToImage(model, { ...options, noise }),
      await textToImage(model, { ...options, seed: 0 }),
      await textToImage(model, options),
    ]
    expect(difference(all[0]!.latents, all[1]!.latents)).toBe(0)
    expect(difference(all[2]!.latents, all[3]!.latents)).toBe(0)
    expect(difference(all[0]!.latents, all[2]!.latents)).toBeGreaterThan(1e-3)
    free(...all)
    noise.dispose()
  })

  it('makes one image per seed', async () => {
    const model = toyModel()
    const options = { prompt, scheduler: ddpm({ steps: 3 }), size }
    const [both, second] = [
      await textToImage(model, { ...options, seed: [3, 4] }),
      await textToImage(model, { ...options, seed: 4 }),
    ]
    const row = both.latents.slice(1, 1)
    expect(both.image.shape).toEqual([2, 32, 32, 3])
    expect(both.evaluations).toBe(12)
    expect(difference(row, second.latents)).toBeLessThan(1e-5)
    free(both, second)
    row.dispose()
  })

  it('gives any size', async () => {
    const one = await textToImage(toyModel(), { prompt, scheduler, size: [13, 1] })
    expect(one.image.shape).toEqual([1, 13, 1, 3])
    expect(one.latents.shape).toEqual([1, 2, 1, 4])
    free(one)
  })

  it('refuses what it cannot do', async () => {
    const noise = tf.zeros([1, 3, 4, 4]) as tf.Tensor4D
    const run = (options: object) => textToImage(toyModel(), { prompt, scheduler, size, ...options })
    await expect(run({ guidance: Number.NaN })).rejects.toThrow(ArgumentError)
    await expect(run({ guidanceRescale: 2 })).rejects.toThrow(ArgumentError)
    await expect(run({ size: [0, 8] })).rejects.toThrow(ArgumentError)
    await expect(run({ seed: -1 })).rejects.toThrow(ArgumentError)
    await expect(run({ noise })).rejects.toThrow(ShapeError)
    noise.dispose()
  })
})

describe('imageToImage', () => {
  it('takes the last int(steps · strength) steps', async () => {
    const image = toyImage(16, 16)
    for (const [strength, steps] of [
      [0.25, 1],
      [0.6, 2],
      [0.99, 3],
      [1, 4],
    ] as const) {
      const calls: number[] = []
      const one = await imageToImage(toyModel(toyDenoiser(calls)), image, { prompt, scheduler, strength })
      expect(one.steps).toBe(steps)
      expect(calls).toHaveLength(steps)
      free(one)
    }
    image.dispose()
  })

  it('keeps more of the image at less strength, and its size', async () => {
    const image = toyImage(30, 17)
    const options = { prompt, scheduler: ddim({ steps: 20 }), guidance: 1 }
    const [weak, strong] = [
      await imageToImage(toyModel(), image, { ...options, strength: 0.05 }),
      await imageToImage(toyModel(), image, { ...options, strength: 1 }),
    ]
    expect(weak.image.shape).toEqual(image.shape)
    expect(difference(weak.image, image)).toBeLessThan(difference(strong.image, image))
    tf.dispose([image])
    free(weak, strong)
  })

  it('refuses a strength that leaves no step', async () => {
    const image = toyImage(8, 8)
    const run = (options: object) => imageToImage(toyModel(), image, { prompt, scheduler, ...options })
    await expect(run({ strength: 0.2 })).rejects.toThrow(/4 · 0.2 = 0.8.*at least 0.25/)
    for (const strength of [0, 1.2, Number.NaN])
      await expect(run({ strength })).rejects.toThrow(ArgumentError)
    await expect(run({ guidance: Number.NaN })).rejects.toThrow(ArgumentError)
    image.dispose()
  })
})

describe('abort', () => {
  it.each(['text', 'image'])('at every event of %s-to-image leaves no tensor', async (kind) => {
    const image = toyImage(16, 16)
    const before = tf.memory().numTensors
    for (let event = 0; event <= 4; event++) {
      const abort = new AbortController()
      if (event === 0) abort.abort()
      let seen = 0
      const onProgress = () => {
        if (++seen === event) abort.abort()
      }
      const options = {
        prompt,
        scheduler: pndm({ steps: 4 }),
        size,
        signal: abort.signal,
        onProgress,
        strength: 1,
      }
      const run =
        kind === 'text' ? textToImage(toyModel(), options) : imageToImage(toyModel(), image, options)
      await expect(run).rejects.toThrow(AbortError)
      expect(tf.memory().numTensors).toBe(before)
    }
    image.dispose()
  })
})
