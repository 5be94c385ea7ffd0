import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, latentNoise, torchRandn } from '../../src/core/index.js'
import fixture from '../fixtures/schedulers.json' with { type: 'json' }

describe('torchRandn', () => {
  it.each(fixture.random)('draws what torch draws, kind after kind, for seed $seed', ({ seed, draws }) => {
    const random = torchRandn(seed)
    for (const { kind, count, values } of draws) {
      const drawn = [
        ...(kind === 'normal'
          ? random.normal(count)
          : kind === 'uniform'
            ? random.uniform(count)
            : random.integers(count, -5, 1000)),
      ]
      expect(drawn).toHaveLength(count)
      const exact = kind !== 'normal' || count < 16
      drawn.slice(-40).forEach((value, i) => {
        expect(Math.abs(value - values[i]!)).toBeLessThan(exact ? 1e-8 * Math.max(1, Math.abs(value)) : 1e-6)
      })
    }
  })

  it('gives the published first values', () => {
    const published = [-1.1258398, -1.1523602, -0.2505786, -0.4338788]
    torchRandn(0)
      .normal(16384)
      .slice(0, 4)
      .forEach((value, i) => {
        expect(value).toBeCloseTo(published[i]!, 6)
      })
    ;[1.9269153, 1.4872841, 0.9007172].forEach((value, i) => {
      expect(torchRandn(42).normal(16)[i]).toBeCloseTo(value, 6)
    })
  })

  it('continues from its own state, through JSON, whatever was drawn before', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }), (seed, counts) => {
        const random = torchRandn(seed)
        for (const count of counts) random.normal(count)
        const resumed = torchRandn(JSON.parse(JSON.stringify(random.state())))
        expect(resumed.normal(7)).toEqual(random.normal(7))
        expect(resumed.normal(33)).toEqual(random.normal(33))
      }),
      { numRuns: 30 },
    )
  })

  it('does not share its state with the copy it hands out', () => {
    const random = torchRandn(5)
    const state = random.state()
    random.normal(100)
    expect(torchRandn(state).normal(16)).toEqual(torchRandn(5).normal(16))
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, '3' as unknown as number])(
    'refuses seed %s',
    (seed) => {
      expect(() => torchRandn(seed)).toThrow(ArgumentError)
    },
  )

  it('refuses a broken state', () => {
    const { twister } = torchRandn(0).state()
    expect(() => torchRandn({ twister: twister.slice(1), cached: null })).toThrow(ArgumentError)
    expect(() => torchRandn({ twister: [624, ...twister.slice(1)], cached: null })).toThrow(/state\(\)/)
  })
})

describe('latentNoise', () => {
  it('is torch.randn of the channels-first shape, read channels-last', () => {
    const noise = latentNoise(0)([2, 3, 5, 4])
    expect(noise.shape).toEqual([2, 3, 5, 4])
    const drawn = torchRandn(0).normal(2 * 4 * 3 * 5)
    const values = noise.dataSync()
    for (let b = 0; b < 2; b++)
      for (let c = 0; c < 4; c++)
        for (let y = 0; y < 3; y++)
          for (let x = 0; x < 5; x++)
            expect(values[((b * 3 + y) * 5 + x) * 4 + c]).toBe(drawn[((b * 4 + c) * 3 + y) * 5 + x])
    noise.dispose()
  })

  it('continues its stream from call to call, and starts over from the seed', () => {
    const source = latentNoise(9)
    const [first, second, again] = [source([1, 2, 2, 4]), source([1, 2, 2, 4]), latentNoise(9)([1, 2, 2, 4])]
    expect(again.dataSync()).toEqual(first.dataSync())
    expect(second.dataSync()).not.toEqual(first.dataSync())
    for (const tensor of [first, second, again]) tensor.dispose()
  })

  it('draws each row from its own seed when given a list', () => {
    const batch = latentNoise([3, 0])([2, 4, 4, 4])
    const [three, zero] = [latentNoise(3)([1, 4, 4, 4]), latentNoise(0)([1, 4, 4, 4])]
    expect([...batch.dataSync()]).toEqual([...three.dataSync(), ...zero.dataSync()])
    for (const tensor of [batch, three, zero]) tensor.dispose()
  })

  it('takes a list of one as a single draw of the whole batch, as diffusers does', () => {
    const [one, list] = [latentNoise(3)([2, 4, 4, 4]), latentNoise([3])([2, 4, 4, 4])]
    expect(list.dataSync()).toEqual(one.dataSync())
    for (const tensor of [one, list]) tensor.dispose()
  })

  it('continues a generator that is handed in', () => {
    const random = torchRandn(1)
    random.normal(16)
    const noise = latentNoise(random)([1, 2, 2, 4])
    expect(torchRandn(1).normal(32)[16]).toBe(noise.dataSync()[0])
    noise.dispose()
  })

  it('refuses seeds that do not fit the batch, and no seeds', () => {
    expect(() => latentNoise([1, 2])([3, 4, 4, 4])).toThrow(ArgumentError)
    expect(() => latentNoise([])).toThrow(ArgumentError)
    expect(() => latentNoise(0)([1, 0, 4, 4])).toThrow(ArgumentError)
  })

  it('draws 512-pixel latents in milliseconds', () => {
    latentNoise(1)([1, 64, 64, 4]).dispose()
    const start = performance.now()
    for (let i = 0; i < 10; i++) latentNoise(1)([1, 64, 64, 4]).dispose()
    const each = (performance.now() - start) / 10
    expect(each).toBeLessThan(100)
  })
})
