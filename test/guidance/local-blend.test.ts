import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { ArgumentError, type AttentionSite, ShapeError } from '../../src/core/index.js'
import { blendMask, defaultBlendResolution, localBlend, WordMaps } from '../../src/guidance/index.js'

const site = (side: number, kind: 'self' | 'cross' = 'cross'): AttentionSite => ({
  ...{ kind, place: 'up', name: 'x', layer: 0, height: side, width: side, timestep: 1 },
})

describe('WordMaps', () => {
  it('sums the chosen words over sites, with heads averaged', () => {
    using maps = new WordMaps([new Float32Array([0, 1, 1]), new Float32Array([1, 0, 0])])
    const probabilities = tf.tensor3d([0.1, 0.2, 0.3, 0.5, 0.6, 0.7], [2, 1, 3])
    tf.tidy(() => {
      maps.add([probabilities, probabilities], site(1))
      maps.add([probabilities, probabilities], site(1))
      maps.add([probabilities, probabilities], site(1, 'self'))
    })
    const got = maps.nearest([1, 1]).dataSync()
    expect(got[0]).toBeCloseTo(2 * ((0.5 + 1.3) / 2), 5)
    expect(got[1]).toBeCloseTo(2 * 0.3, 5)
    probabilities.dispose()
  })

  it('answers with the nearest resolution, the finer of two', () => {
    using maps = new WordMaps([new Float32Array([1])])
    expect(() => maps.nearest([8, 8])).toThrow(ArgumentError)
    for (const side of [4, 16, 32]) tf.tidy(() => maps.add([tf.ones([1, side * side, 1])], site(side)))
    const nearest = [
      [1, 1],
      [8, 8],
      [16, 16],
      [64, 64],
    ] as const
    expect(nearest.map((wanted) => maps.nearest(wanted).shape[1])).toEqual([4, 16, 16, 32])
    expect(maps.resolutions).toEqual([
      [4, 4],
      [16, 16],
      [32, 32],
    ])
  })
})

describe('blendMask', () => {
  it('thresholds against the maximum and unites both prompts', () => {
    const [plain, wide] = tf.tidy(() => {
      const maps = tf.tensor3d([0, 0, 0, 0, 0, 0, 0, 0, 9, 0.1, 0, 0, 0.02, 0, 0, 0, 0, 0], [2, 3, 3])
      const options = { size: [3, 3] as const, threshold: 0.3 }
      return [
        blendMask(maps, { ...options, widen: false }).dataSync(),
        blendMask(maps, { ...options, widen: true }).dataSync(),
      ]
    })
    expect([...plain!]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1])
    expect([...wide!]).toEqual([1, 1, 0, 1, 1, 1, 0, 1, 1])
  })

  it('grows by nearest neighbour to the size of the latents', () => {
    const mask = tf.tidy(() =>
      blendMask(tf.tensor3d([1, 0, 0, 0, 1, 0, 0, 0], [2, 2, 2]), {
        size: [4, 4],
        threshold: 0.3,
        widen: false,
      }),
    )
    expect(mask.shape).toEqual([1, 4, 4, 1])
    expect([...mask.dataSync()]).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    mask.dispose()
  })

  it('needs the maps of two prompts', () => {
    const options = { size: [2, 2] as const, threshold: 0.3, widen: true }
    expect(() => tf.tidy(() => blendMask(tf.zeros([3, 2, 2]), options))).toThrow(ShapeError)
  })
})

describe('localBlend', () => {
  it('keeps the source outside the mask', () => {
    const got = tf.tidy(() => {
      const [source, target] = [tf.tensor4d([1, 2], [1, 1, 2, 1]), tf.tensor4d([5, 6], [1, 1, 2, 1])]
      return localBlend(source, target, tf.tensor4d([0, 1], [1, 1, 2, 1])).dataSync()
    })
    expect([...got]).toEqual([1, 6])
  })

  it('looks at a quarter of the latents, at 8 pixels at least', () => {
    const sizes = [
      [64, 64],
      [96, 64],
      [32, 32],
      [16, 16],
      [8, 4],
    ] as const
    expect(sizes.map(defaultBlendResolution)).toEqual([
      [16, 16],
      [24, 16],
      [8, 8],
      [8, 8],
      [8, 4],
    ])
  })
})
