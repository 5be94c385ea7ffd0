import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, cropEdges, padEdges } from '../../src/core/index.js'

describe('padEdges', () => {
  it('repeats the last row and column', () => {
    const [image, padded] = tf.tidy(() => {
      const x = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])
      return [x, padEdges(x, 4)]
    })
    expect(padded.arraySync()).toEqual([
      [
        [[1], [2], [3], [3]],
        [[4], [5], [6], [6]],
        [[4], [5], [6], [6]],
        [[4], [5], [6], [6]],
      ],
    ])
    tf.dispose([image, padded])
  })

  it('is undone by cropEdges, for any size, and always gives a tensor of its own', () => {
    const side = fc.integer({ min: 1, max: 19 })
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 8 }), (height, width, multiple) => {
        const image = tf.randomUniform<tf.Rank.R4>([2, height, width, 3], 0, 1, 'float32', 1)
        const padded = padEdges(image, multiple)
        const back = cropEdges(padded, [height, width])
        expect(padded.shape.slice(1, 3).every((n) => n % multiple === 0)).toBe(true)
        expect(padded.shape[1]! - height).toBeLessThan(multiple)
        expect([...back.dataSync()]).toEqual([...image.dataSync()])
        expect(padded).not.toBe(image)
        tf.dispose([image, padded, back])
      }),
      { numRuns: 25 },
    )
  })

  it('refuses a multiple that is none', () => {
    const image = tf.zeros([1, 2, 2, 3]) as tf.Tensor4D
    for (const multiple of [0, 1.5, Number.NaN])
      expect(() => padEdges(image, multiple)).toThrow(ArgumentError)
    image.dispose()
  })
})
