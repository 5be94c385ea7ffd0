import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cropToSize, padToMultiple } from '../../src/image/index.js'
import { take } from './helpers.js'

describe('padToMultiple', () => {
  it('mirrors without repeating the edge, or repeats it', async () => {
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])
    const mirrored = padToMultiple(image, 4)
    expect(mirrored.crop).toEqual([2, 3])
    expect(await take(mirrored.image)).toEqual({
      shape: [1, 4, 4, 1],
      values: [1, 2, 3, 2, 4, 5, 6, 5, 1, 2, 3, 2, 4, 5, 6, 5],
    })
    const repeated = padToMultiple(image, 4, { mode: 'replicate' })
    expect((await take(repeated.image)).values).toEqual([1, 2, 3, 3, 4, 5, 6, 6, 4, 5, 6, 6, 4, 5, 6, 6])
    image.dispose()
  })

  it('is undone by cropToSize for every size, one pixel included', async () => {
    const side = fc.integer({ min: 1, max: 20 })
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.constantFrom(1, 8, 64),
        fc.constantFrom('reflect', 'replicate'),
        async (h, w, multiple, mode) => {
          const image = tf.tensor4d(
            Float32Array.from({ length: h * w * 3 }, (_, i) => i / 7),
            [1, h, w, 3],
          )
          const padded = padToMultiple(image, multiple, { mode: mode as 'reflect' | 'replicate' })
          expect(padded.image.shape).toEqual([
            1,
            Math.ceil(h / multiple) * multiple,
            Math.ceil(w / multiple) * multiple,
            3,
          ])
          const back = await take(cropToSize(padded.image, padded.crop))
          expect(back).toEqual(await take(image))
          padded.image.dispose()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('returns a copy where nothing is missing', () => {
    const image = tf.zeros<tf.Rank.R4>([2, 8, 16, 3])
    const { image: same } = padToMultiple(image, 8)
    image.dispose()
    expect(same.isDisposed).toBe(false)
    same.dispose()
  })

  it('refuses bad arguments', () => {
    const image = tf.zeros<tf.Rank.R4>([1, 4, 4, 3])
    expect(() => padToMultiple(image, 0)).toThrow(/multiple/)
    expect(() => padToMultiple(image, 8, { mode: 'wrap' as never })).toThrow(/reflect, replicate/)
    expect(() => cropToSize(image, [5, 4])).toThrow(/at least 5×4; got 4×4/)
    const flat = tf.zeros<tf.Rank.R3>([4, 4, 3])
    expect(() => padToMultiple(flat as never, 8)).toThrow(/padToMultiple needs image of shape/)
    tf.dispose([image, flat])
  })
})
