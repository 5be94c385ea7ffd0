import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AbortError } from '../../src/core/index.js'
import { disposeInversion, type Inversion } from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { inverters } from '../inversion/inverters.js'
import { difference, toyDenoiser, toyImage, toyModel } from '../inversion/toy-model.js'
import { editors } from './editors.js'

const scheduler = ddim({ steps: 4 })
const source = 'heart and line'
const target = 'lungs and line'

describe.each(Object.entries(inverters))('after %s', (_inverter, invert) => {
  let path: Inversion
  const size = [13, 22] as const

  beforeAll(async () => {
    const image = toyImage(...size)
    path = await invert(toyModel(), image, { prompt: source, scheduler })
    image.dispose()
  })
  afterAll(() => disposeInversion(path))

  it.each(Object.entries(editors))('%s edits', async (_editor, edit) => {
    const calls: number[] = []
    const model = toyModel(toyDenoiser(calls))
    const [edited, null_] = [await edit(model, path, target), await edit(toyModel(), path, source)]
    expect(edited.image.shape).toEqual([1, ...size, 3])
    expect(edited).toMatchObject({ prompt: target, truncated: '' })
    expect(edited.evaluations).toBe(calls.reduce((sum, rows) => sum + rows, 0))
    expect(calls).toHaveLength(4)
    expect(edited.rewritten.cross).toBeGreaterThan(0)
    expect(difference(edited.latents, null_.latents)).toBeGreaterThan(1e-4)
    tf.dispose([edited.image, edited.latents, null_.image, null_.latents])
  })

  it.each(Object.entries(editors))(
    '%s aborts at every event without a tensor left',
    async (_editor, edit) => {
      const before = tf.memory().numTensors
      for (let event = 0; event <= 4; event++) {
        const abort = new AbortController()
        if (event === 0) abort.abort()
        let seen = 0
        const onProgress = () => {
          if (++seen === event) abort.abort()
        }
        const run = edit(toyModel(), path, target, { signal: abort.signal, onProgress })
        await expect(run).rejects.toThrow(AbortError)
        expect(seen).toBe(event)
        expect(tf.memory().numTensors).toBe(before)
      }
    },
  )
})
