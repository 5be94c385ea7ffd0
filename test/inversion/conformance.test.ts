import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { AbortError, ArgumentError, type Denoiser, ShapeError } from '../../src/core/index.js'
import {
  disposeInversion,
  inversionFromTensors,
  inversionToTensors,
  reconstruct,
  replay,
} from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { inverters } from './inverters.js'
import { difference, toyDenoiser, toyImage, toyModel } from './toy-model.js'

const scheduler = ddim({ steps: 3 })
const prompt = 'heart and line'

describe.each(Object.entries(inverters))('%s', (_, invert) => {
  it('gives a path that its own replay turns into the image', async () => {
    const image = toyImage()
    const path = await invert(toyModel(), image, { prompt, scheduler, fixedPoint: { iterations: 8 } })
    const back = await reconstruct(toyModel(), path)
    expect(back.shape).toEqual(image.shape)
    expect(difference(back, image)).toBeLessThan(0.05)
    expect(path).toMatchObject({ prompt, truncated: '', scheduler, size: [32, 32] })
    expect(path.steps).toHaveLength(3)
    tf.dispose([image, back])
    disposeInversion(path)
    disposeInversion(path)
  })

  it('counts what the network did', async () => {
    const calls: number[] = []
    const image = toyImage()
    const path = await invert(toyModel(toyDenoiser(calls)), image, { prompt, scheduler })
    expect(path.evaluations).toBe(calls.reduce((sum, rows) => sum + rows, 0))
    image.dispose()
    disposeInversion(path)
  })

  it('works with prediction of v', async () => {
    const image = toyImage()
    const options = { prompt, scheduler: ddim({ steps: 3, prediction: 'v' }), fixedPoint: { iterations: 8 } }
    const path = await invert(toyModel(), image, options)
    const back = await reconstruct(toyModel(), path)
    expect(difference(back, image)).toBeLessThan(0.05)
    tf.dispose([image, back])
    disposeInversion(path)
  })

  it('takes one step, and one pixel, and restores the size', async () => {
    for (const [height, width] of [
      [1, 1],
      [13, 22],
    ] as const) {
      const image = toyImage(height, width)
      const path = await invert(toyModel(), image, { prompt, scheduler: ddim({ steps: 1 }) })
      const back = await reconstruct(toyModel(), path)
      expect(back.shape).toEqual([1, height, width, 3])
      tf.dispose([image, back])
      disposeInversion(path)
    }
  })

  it('reports what of a prompt did not fit', async () => {
    const image = toyImage()
    const long = 'a b c d e f g h i j k l'
    const path = await invert(toyModel(), image, { prompt: long, scheduler })
    expect(path.truncated).toBe('k l')
    image.dispose()
    disposeInversion(path)
  })

  it('survives being stored', async () => {
    const image = toyImage()
    const path = await invert(toyModel(), image, { prompt, scheduler })
    const stored = inversionToTensors(path)
    const again = inversionFromTensors(stored, ddim({ steps: 3 }))
    const [one, two] = [await replay(toyModel(), path), await replay(toyModel(), again)]
    expect(difference(one, two)).toBe(0)
    expect({ ...again, steps: 0, clean: 0, start: 0, scheduler: 0 }).toEqual({
      ...{ ...path, steps: 0, clean: 0, start: 0, scheduler: 0 },
    })
    tf.dispose([image, one, two, ...Object.values(stored.tensors)])
    disposeInversion(path)
    disposeInversion(again)
  })

  it('aborts at every event without a tensor left', async () => {
    const image = toyImage()
    const before = tf.memory().numTensors
    for (let event = 0, finished = false; !finished; event++) {
      const abort = new AbortController()
      if (event === 0) abort.abort()
      let seen = 0
      const onProgress = () => {
        if (++seen === event) abort.abort()
      }
      try {
        const path = await invert(toyModel(), image, { prompt, scheduler, signal: abort.signal, onProgress })
        disposeInversion(path)
        finished = true
        expect(event).toBeGreaterThan(3)
      } catch (error) {
        expect(error).toBeInstanceOf(AbortError)
      }
      expect(tf.memory().numTensors).toBe(before)
    }
    image.dispose()
  })

  it('frees everything when the network throws', async () => {
    const image = toyImage()
    const healthy = toyDenoiser()
    for (const failing of [1, 3, 6, 9]) {
      let calls = 0
      const broken: Denoiser = (...input) => {
        if (++calls === failing) throw new Error('out of memory')
        return healthy(...input)
      }
      const before = tf.memory().numTensors
      const path = await invert(toyModel(broken), image, { prompt, scheduler }).catch(() => undefined)
      if (path) disposeInversion(path)
      expect(tf.memory().numTensors).toBe(before)
    }
    image.dispose()
  })

  it.each([
    ['a batch', () => tf.zeros([2, 8, 8, 3]), ShapeError],
    ['grey', () => tf.zeros([1, 8, 8, 1]), ShapeError],
    ['channels first', () => tf.zeros([1, 3, 8, 8]), ShapeError],
    ['8-bit pixels', () => tf.fill([1, 8, 8, 3], 200), ArgumentError],
    ['[-1, 1]', () => tf.fill([1, 8, 8, 3], -0.5), ArgumentError],
    ['NaN', () => tf.fill([1, 8, 8, 3], Number.NaN), ArgumentError],
  ])('refuses %s', async (_what, make, error) => {
    const image = make() as tf.Tensor4D
    await expect(invert(toyModel(), image, { prompt, scheduler })).rejects.toThrow(error)
    image.dispose()
  })

  it('refuses a scheduler without an inverse', async () => {
    const image = toyImage()
    const stochastic = ddim({ steps: 3, eta: 1 }) as never
    await expect(invert(toyModel(), image, { prompt, scheduler: stochastic })).rejects.toThrow(ArgumentError)
    image.dispose()
  })

  it('refuses refinements that are no count', async () => {
    const image = toyImage()
    const fixedPoint = { iterations: Number.NaN }
    await expect(invert(toyModel(), image, { prompt, scheduler, fixedPoint })).rejects.toThrow(ArgumentError)
    image.dispose()
  })
})
