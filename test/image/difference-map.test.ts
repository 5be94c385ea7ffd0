import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  differenceMap,
  divergingColour,
  renderDifferenceMap,
  sideBySide,
  strongestChanges,
} from '../../src/image/index.js'
import { constant, take } from './helpers.js'

describe('differenceMap', () => {
  it('is edited minus original, averaged over channels', async () => {
    const original = tf.tensor4d([0.1, 0.2, 0.3, 0.9, 0.9, 0.9], [1, 1, 2, 3])
    const edited = tf.tensor4d([0.4, 0.2, 0.6, 0.4, 0.9, 0.8], [1, 1, 2, 3])
    const map = await take(differenceMap(original, edited))
    expect(map.shape).toEqual([1, 2])
    expect(map.values).toEqual([expect.closeTo(0.2, 6), expect.closeTo(-0.2, 6)])
    const swapped = await take(differenceMap(edited, original))
    expect(swapped.values).toEqual(map.values.map((v) => expect.closeTo(-(v as number), 6)))
    tf.dispose([original, edited])
  })

  it('refuses pictures of different shapes', () => {
    const [a, b] = [constant(0, [1, 4, 4, 3]), constant(0, [1, 4, 5, 3])]
    expect(() => differenceMap(a, b)).toThrow(/\[1, 4, 4, 3\]; got \[1, 4, 5, 3\].*cropToSize/)
    tf.dispose([a, b])
  })
})

describe('strongestChanges', () => {
  it('keeps both signs by their size', async () => {
    const map = tf.tensor2d([[-0.5, 0.1, 0, 0.4, -0.05]])
    expect((await take(strongestChanges(map, 0.4))).values.map((v) => Number(v.toFixed(3)))).toEqual([
      -0.5, 0, 0, 0.4, 0,
    ])
    expect((await take(strongestChanges(map, 0))).values.every((v) => v === 0)).toBe(true)
    expect((await take(strongestChanges(map, 1))).values.map((v) => Number(v.toFixed(3)))).toEqual([
      -0.5, 0.1, 0, 0.4, -0.05,
    ])
    await expect(strongestChanges(map, 1.1)).rejects.toMatchObject({ code: 'argument' })
    map.dispose()
  })

  it('treats a map and its negative alike', async () => {
    const values = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(values, fc.double({ min: 0, max: 1, noNaN: true }), async (data, fraction) => {
        const map = tf.tensor2d(data, [1, data.length])
        const negative = tf.neg(map)
        const kept = (await take(strongestChanges(map, fraction))).values
        const keptOfNegative = (await take(strongestChanges(negative, fraction))).values.map((v) => v + 0) // −0 is 0
        expect(keptOfNegative).toEqual(kept.map((v) => 0 - v))
        tf.dispose([map, negative])
      }),
      { numRuns: 50 },
    )
  })
})

describe('divergingColour', () => {
  const lightness = (t: number) => {
    const linear = divergingColour(t).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    const [r, g, b] = linear as [number, number, number]
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s
  }

  it('is red above zero, blue below, neutral at zero', () => {
    const [r, , b] = divergingColour(1)
    expect(r).toBeGreaterThan(b + 0.4)
    const [r2, , b2] = divergingColour(-1)
    expect(b2).toBeGreaterThan(r2 + 0.4)
    const white = divergingColour(0)
    expect(Math.max(...white) - Math.min(...white)).toBeLessThan(1e-3)
    expect(Math.min(...white)).toBeGreaterThan(0.93)
    expect(divergingColour(7)).toEqual(divergingColour(1))
  })

  it('darkens evenly and alike on both sides', () => {
    for (let t = 0; t <= 1; t += 0.05) {
      expect(Math.abs(lightness(t) - (0.965 - 0.48 * t)), `+${t}`).toBeLessThan(0.02)
      expect(Math.abs(lightness(-t) - lightness(t)), `±${t}`).toBeLessThan(0.02)
    }
  })
})

describe('renderDifferenceMap', () => {
  /** The drawn colour of pixel (y, x). */
  async function draw(map: tf.Tensor2D, options = {}) {
    const { shape, values } = await take(renderDifferenceMap(map, options))
    const width = shape[2]!
    return {
      shape,
      values,
      at: (y: number, x: number) => values.slice((y * width + x) * 3, (y * width + x) * 3 + 3),
    }
  }
  const colour = (t: number) => divergingColour(t).map((v) => expect.closeTo(v, 5))

  it('draws squares in the colours of the scale', async () => {
    const map = tf.tensor2d([
      [0.2, -0.2],
      [0, 0.1],
    ])
    const { shape, at } = await draw(map, { scale: 128, range: 0.2 })
    expect(shape[1]).toBe(256)
    expect(shape[3]).toBe(3)
    expect(at(0, 0)).toEqual(colour(1))
    expect(at(127, 255)).toEqual(colour(-1))
    expect(at(255, 0)).toEqual(colour(0))
    expect(at(128, 128)).toEqual(colour(0.5))
    map.dispose()
  })

  it('is the mirror image for the negative map', async () => {
    const map = tf.tensor2d([[0.3, 0.1]])
    const negative = tf.neg(map) as tf.Tensor2D
    const [a, b] = [await draw(map), await draw(negative)]
    expect(a.shape).toEqual(b.shape)
    expect(a.at(9, 9)).toEqual(colour(1))
    expect(b.at(9, 9)).toEqual(colour(-1))
    tf.dispose([map, negative])
  })

  it('chooses a range that leaves a null edit white', async () => {
    const map = tf.tensor2d([[1e-4, -1e-4]])
    const [pixel] = [(await draw(map)).at(0, 0)]
    expect(pixel).toEqual(colour(1e-4 / 0.004))
    map.dispose()
  })

  it('prints its range: other numbers, other ink', async () => {
    const map = tf.tensor2d([[0.5, -0.5]])
    const bar = async (range: number | 'auto') => {
      const { shape, values } = await draw(map, { range, scale: 100 })
      const from = 210
      const width = shape[2]!
      return values.filter((_, i) => Math.trunc(i / 3) % width >= from && shape[1]! > 0).join()
    }
    const pictures = await Promise.all([0.5, 0.6, 0.4].map(bar))
    expect(new Set(pictures).size).toBe(3)
    expect(await bar('auto')).toBe(pictures[0])
    map.dispose()
  })

  it('lets a picture shine through, and smooths', async () => {
    const map = tf.tensor2d([[0.2, 0, 0, 0]])
    const overlay = tf.tensor4d([1, 1, 0, 0.5], [1, 1, 4, 1])
    const { at } = await draw(map, { overlay, range: 0.2, scale: 1 })
    expect(at(0, 0)).toEqual(colour(1))
    expect(at(0, 2)).toEqual(divergingColour(0).map((v) => expect.closeTo(v * 0.4, 5)))
    const smooth = await draw(map, { blur: 1, range: 0.2, scale: 1 })
    expect(smooth.at(0, 1)).not.toEqual(colour(0))
    tf.dispose([map, overlay])
  })

  it('refuses maps that are not finite and options outside their domain', async () => {
    const broken = tf.tensor2d([[Number.NaN, 1, Number.NaN]])
    await expect(renderDifferenceMap(broken)).rejects.toMatchObject({
      code: 'numeric',
      message: expect.stringContaining('2 of 3'),
    })
    const map = tf.tensor2d([[0.5]])
    for (const options of [{ range: 0 }, { range: Number.NaN }, { blur: -1 }, { scale: 0.5 }]) {
      await expect(renderDifferenceMap(map, options)).rejects.toMatchObject({ code: 'argument' })
    }
    const overlay = constant(0, [1, 2, 2, 3])
    await expect(renderDifferenceMap(map, { overlay })).rejects.toMatchObject({ code: 'shape' })
    tf.dispose([broken, map, overlay])
  })
})

describe('sideBySide', () => {
  it('brings pictures to one height and keeps their pixels', async () => {
    const [small, tall] = [constant(0.25, [1, 4, 4, 1]), constant(0.75, [1, 8, 4, 3])]
    const { shape, values } = await take(sideBySide([small, tall], { scale: 1, gap: 2 }))
    expect(shape).toEqual([1, 12, 2 + 8 + 2 + 4 + 2, 3])
    const at = (y: number, x: number) => values[(y * shape[2]! + x) * 3]
    expect([at(2, 2), at(9, 9), at(2, 12), at(9, 15), at(0, 0), at(10, 5)]).toEqual([
      0.25, 0.25, 0.75, 0.75, 1, 1,
    ])
    tf.dispose([small, tall])
  })

  it('breaks into rows and writes labels', async () => {
    const image = constant(0.5, [1, 16, 16, 3])
    const row = await take(sideBySide([image, image, image], { columns: 2, scale: 1, gap: 0 }))
    expect(row.shape.slice(1, 3)).toEqual([32, 32])
    const labelled = await take(sideBySide([image], { labels: ['a'], scale: 1, gap: 0 }))
    expect(labelled.shape[1]).toBeGreaterThan(16)
    expect(labelled.values.some((v) => v < 0.2)).toBe(true)
    await expect(sideBySide([image], { labels: ['a', 'b'] })).rejects.toThrow(/1 pictures and 2 labels/)
    await expect(sideBySide([])).rejects.toMatchObject({ code: 'argument' })
    image.dispose()
  })
})
