import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, type Denoiser, ShapeError } from '../../src/core/index.js'
import { classifierFree, guidedBatch, guidedNoise, rescaleGuidance } from '../../src/guidance/index.js'

// Predicts the first number of the context, plus the latents.
const toy: Denoiser = (x, _, context) =>
  tf.tidy(() => x.add<tf.Tensor4D>(context.slice([0, 0, 0], [-1, 1, 1]).reshape([-1, 1, 1, 1])))

const context = (...values: number[]) => tf.tensor3d(values, [values.length, 1, 1])

describe('classifierFree', () => {
  it('is the line through both predictions', () => {
    fc.assert(
      fc.property(fc.float({ min: -9, max: 9, noNaN: true }), (scale) => {
        const got = tf.tidy(() => classifierFree(tf.tensor1d([1, 2]), tf.tensor1d([3, -2]), scale).dataSync())
        expect(got[0]).toBeCloseTo(1 + 2 * scale, 4)
        expect(got[1]).toBeCloseTo(2 - 4 * scale, 4)
      }),
    )
  })

  it('refuses a scale that is not finite, and shapes that differ', () => {
    tf.tidy(() => {
      const [a, b] = [tf.zeros([2]), tf.zeros([3])]
      expect(() => classifierFree(a, a, Number.NaN)).toThrow(ArgumentError)
      expect(() => classifierFree(a, b, 2)).toThrow(ShapeError)
    })
  })
})

describe('guidedNoise', () => {
  it('asks the network once, unconditional half first', () => {
    const asked: number[][] = []
    const spy: Denoiser = (x, t, c) => {
      asked.push([...c.dataSync()])
      return toy(x, t, c)
    }
    tf.tidy(() => {
      const x = tf.zeros<tf.Rank.R4>([2, 1, 1, 1])
      const prompts = { unconditional: context(1), conditional: context(3) }
      expect([...guidedNoise(spy, x, 7, prompts, 7.5).dataSync()]).toEqual([16, 16])
    })
    expect(asked).toEqual([[1, 1, 3, 3]])
  })

  it('rescales on request', () => {
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([1, 3, 3, 2], 0, 1, 'float32', 5)
      const louder: Denoiser = (z, _, c) => tf.tidy(() => z.mul<tf.Tensor4D>(c.reshape([-1, 1, 1, 1])))
      const prompts = { unconditional: context(1), conditional: context(2) }
      const plain = guidedNoise(louder, x, 1, prompts, 3)
      const rescaled = guidedNoise(louder, x, 1, prompts, 3, { rescale: 1 })
      expect(plain.sub(x.mul(4)).abs().max().dataSync()[0]).toBeLessThan(1e-5)
      expect(rescaled.sub(x.mul(2)).abs().max().dataSync()[0]).toBeLessThan(1e-5)
    })
  })
})

describe('rescaleGuidance', () => {
  it('uses the deviation of each row', () => {
    const [row, rest] = tf.tidy(() => {
      const guided = tf.tensor4d([0, 4, 0, 2], [2, 1, 2, 1])
      const conditional = tf.tensor4d([0, 2, 5, 6], [2, 1, 2, 1])
      const got = rescaleGuidance(guided, conditional, 0.7)
      return [got.slice(0, 1).dataSync(), got.slice(1, 1).dataSync()]
    })
    // Deviations 2.828 and 1.414, then 1.414 and 0.707: half the guided, seven tenths of the way.
    expect(row![1]).toBeCloseTo(0.7 * 2 + 0.3 * 4, 5)
    expect(rest![1]).toBeCloseTo(0.7 * 1 + 0.3 * 2, 5)
  })

  it('refuses a factor outside [0, 1]', () => {
    expect(() => tf.tidy(() => rescaleGuidance(tf.zeros([1, 1, 1, 1]), tf.zeros([1, 1, 1, 1]), 1.2))).toThrow(
      ArgumentError,
    )
  })
})

describe('guidedBatch', () => {
  it('guides each row by its own scale and skips what a scale of 1 does not need', () => {
    const asked: number[] = []
    const spy: Denoiser = (x, t, c) => {
      asked.push(x.shape[0])
      return toy(x, t, c)
    }
    tf.tidy(() => {
      const x = tf.tensor4d([10, 20, 30], [3, 1, 1, 1])
      const rows = {
        x,
        timestep: 1,
        conditional: context(1, 2, 3),
        unconditional: context(0),
        scales: [1, 2, 3],
      }
      const { output, evaluations } = guidedBatch(spy, rows)
      expect([...output.dataSync()]).toEqual([11, 24, 39])
      expect(evaluations).toBe(5)
      const own = guidedBatch(spy, { ...rows, unconditional: context(7, 1, 2) })
      expect([...own.output.dataSync()]).toEqual([11, 23, 35])
    })
    expect(asked).toEqual([5, 5])
  })

  it('refuses rows that do not match', () => {
    tf.tidy(() => {
      const x = tf.zeros<tf.Rank.R4>([2, 1, 1, 1])
      const rows = { x, timestep: 1, conditional: context(1, 2), unconditional: context(0), scales: [1, 2] }
      expect(() => guidedBatch(toy, { ...rows, scales: [1] })).toThrow(ShapeError)
      expect(() => guidedBatch(toy, { ...rows, conditional: context(1) })).toThrow(ShapeError)
      expect(() => guidedBatch(toy, { ...rows, scales: [1, Number.NaN] })).toThrow(ArgumentError)
    })
  })
})
