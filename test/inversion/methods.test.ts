import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  CheckpointError,
  NumericError,
  type Progress,
  ShapeError,
} from '../../src/core/index.js'
import {
  ddimInversion,
  ddimTrajectory,
  disposeInversion,
  inversionFromTensors,
  inversionToTensors,
  negativePrompt,
  nullText,
  pivotPinned,
  reconstruct,
} from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { difference, toyDenoiser, toyImage, toyModel } from './toy-model.js'

const scheduler = ddim({ steps: 4 })
const prompt = 'heart and line'

describe('ddimTrajectory', () => {
  it('asks at the timestep of the step that it undoes, least noise first', async () => {
    const asked: number[] = []
    const model = toyModel()
    const spy: typeof model.denoise = (x, t, c, a) => {
      asked.push(Number(t))
      return model.denoise(x, t, c, a)
    }
    const [clean, condition] = [tf.ones([1, 2, 2, 4]) as tf.Tensor4D, model.encodePrompts([prompt])]
    const { latents } = await ddimTrajectory(spy, { clean, condition, scheduler })
    expect(asked).toEqual([1, 251, 501, 751])
    expect(latents).toHaveLength(5)
    expect(difference(latents[4]!, clean)).toBe(0)
    tf.dispose([clean, condition, ...latents])
  })

  it('reports how far the last refinement moved', async () => {
    const events: Progress[] = []
    const image = toyImage()
    const options = { prompt, scheduler, onProgress: (event: Progress) => events.push(event) }
    disposeInversion(await ddimInversion(toyModel(), image, options))
    disposeInversion(await ddimInversion(toyModel(), image, { ...options, fixedPoint: { iterations: 3 } }))
    expect(events.map(({ done }) => done)).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
    expect(events.slice(0, 4).every(({ loss }) => loss === undefined)).toBe(true)
    expect(events.slice(4).every(({ loss }) => loss! > 0 && loss! < 0.1)).toBe(true)
    image.dispose()
  })
})

describe('pivotPinned', () => {
  it('reconstructs to the autoencoder without asking the network', async () => {
    const calls: number[] = []
    const model = toyModel(toyDenoiser(calls))
    const image = toyImage()
    const path = await pivotPinned(model, image, { prompt, scheduler })
    expect(calls).toEqual([1, 1, 1, 1])
    const back = await reconstruct(model, path)
    const latents = model.encodeImage(image)
    const vae = model.decodeLatents(latents)
    expect(difference(back, vae)).toBe(0)
    expect(calls).toHaveLength(4)
    tf.dispose([image, back, latents, vae])
    disposeInversion(path)
  })
})

describe('negativePrompt', () => {
  it('replays alike at every guidance', async () => {
    const image = toyImage()
    const path = await negativePrompt(toyModel(), image, { prompt, scheduler })
    const one = await reconstruct(toyModel(), path)
    const strong = await reconstruct(toyModel(), { ...path, guidance: 7.5 })
    expect(difference(one, strong)).toBeLessThan(1e-5)
    tf.dispose([image, one, strong])
    disposeInversion(path)
  })
})

describe('nullText', () => {
  it('lowers the loss of every step and reconstructs better than the empty prompt', async () => {
    const image = toyImage()
    const path = await nullText(toyModel(), image, { prompt, scheduler, guidance: 4 })
    for (const { losses } of path.steps) expect(losses!.at(-1)!).toBeLessThanOrEqual(losses![0]!)
    const fitted = await reconstruct(toyModel(), path)
    const empty = await reconstruct(toyModel(), { ...path, steps: path.steps.map(() => ({})) })
    expect(difference(fitted, image)).toBeLessThan(0.5 * difference(empty, image))
    expect(path.guidance).toBe(4)
    tf.dispose([image, fitted, empty])
    disposeInversion(path)
  })

  it('stops a step early by the loss before the update', async () => {
    const image = toyImage()
    const path = await nullText(toyModel(), image, { prompt, scheduler, epsilon: 1e9 })
    expect(path.steps.map(({ losses }) => losses!.length)).toEqual([1, 1, 1, 1])
    expect(path.evaluations).toBe(4 + 4 * 3)
    const embeddings = path.steps.map(({ unconditional }) => unconditional!)
    // Adam's first update moves every entry by the learning rate, 0.01 (1 - i / 100), warm-started.
    expect(difference(embeddings[1]!, embeddings[0]!)).toBeCloseTo(0.01 * 0.99, 5)
    expect(difference(embeddings[2]!, embeddings[1]!)).toBeCloseTo(0.01 * 0.98, 5)
    image.dispose()
    disposeInversion(path)
  })

  it('without updates keeps the empty prompt', async () => {
    const image = toyImage()
    const model = toyModel()
    const path = await nullText(model, image, { prompt, scheduler, innerSteps: 0 })
    const empty = model.encodePrompts([''])
    expect(difference(path.steps[3]!.unconditional!, empty)).toBe(0)
    tf.dispose([image, empty])
    disposeInversion(path)
  })

  it('stops when the loss is not finite, and frees all', async () => {
    const image = toyImage()
    const healthy = toyDenoiser()
    let calls = 0
    const diverging: typeof healthy = (...input) => {
      const output = healthy(...input)
      return ++calls < 7
        ? output
        : tf.tidy(() => output.mul<tf.Tensor4D>(Number.NaN).add(output.mul(Number.NaN)))
    }
    await expect(nullText(toyModel(diverging), image, { prompt, scheduler })).rejects.toThrow(NumericError)
    image.dispose()
  })

  it('refuses numbers that are none', async () => {
    const image = toyImage()
    const wrong = [
      { guidance: Number.NaN },
      { innerSteps: 1.5 },
      { learningRate: -1 },
      { epsilon: Number.NaN },
    ]
    for (const options of wrong) {
      await expect(nullText(toyModel(), image, { prompt, scheduler, ...options })).rejects.toThrow(
        ArgumentError,
      )
    }
    image.dispose()
  })
})

describe('a stored inversion', () => {
  async function stored() {
    const image = toyImage()
    const path = await pivotPinned(toyModel(), image, { prompt, scheduler })
    const parts = inversionToTensors(path)
    image.dispose()
    disposeInversion(path)
    return parts
  }

  it('is refused with a piece missing, another scheduler, or broken metadata', async () => {
    const { tensors, metadata } = await stored()
    const { clean, ...rest } = tensors
    const from = (parts: { tensors?: object; metadata?: object }, other = scheduler) =>
      inversionFromTensors({ tensors, metadata, ...parts } as never, other)
    expect(() => from({ tensors: rest })).toThrow(/needs a tensor "clean"/)
    expect(() => from({}, ddim({ steps: 5 }))).toThrow(CheckpointError)
    expect(() => from({}, ddim({ steps: 4, prediction: 'v' }))).toThrow(CheckpointError)
    expect(() => from({}, ddim({ steps: 4, stepsOffset: 0 }))).toThrow(CheckpointError)
    for (const inversion of [undefined, '', '{', 'null', '{"method":1}']) {
      expect(() => from({ metadata: { inversion } })).toThrow(CheckpointError)
    }
    const wrong = tf.zeros([1, 2, 2, 4])
    expect(() => from({ tensors: { ...tensors, 'steps.1.pivot': wrong } })).toThrow(ShapeError)
    expect(() => from({ tensors: { ...tensors, start: wrong } })).toThrow(ShapeError)
    tf.dispose([wrong, clean!, ...Object.values(rest)])
  })
})

describe('reconstruct', () => {
  it('refuses a path of another length', async () => {
    const image = toyImage()
    const path = await pivotPinned(toyModel(), image, { prompt, scheduler })
    await expect(reconstruct(toyModel(), { ...path, scheduler: ddim({ steps: 5 }) })).rejects.toThrow(
      ArgumentError,
    )
    image.dispose()
    disposeInversion(path)
  })
})
