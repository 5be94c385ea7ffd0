import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import {
  fromUint8,
  type ResizeFit,
  type ResizeKernel,
  readImage,
  resizeImage,
} from '../../src/image/index.js'
import { constant, raw, take, takeLevels } from './helpers.js'

interface Case {
  readonly fit: ResizeFit
  readonly kernel: ResizeKernel
  readonly size: [number, number]
  readonly grey?: boolean
  readonly data: number[]
}

const golden = JSON.parse(readFileSync(new URL('../fixtures/image-pil.json', import.meta.url), 'utf8')) as {
  readonly height: number
  readonly width: number
  readonly cases: Case[]
}

// The picture of test/fixtures/image-pil.py.
const pixels = Uint8Array.from({ length: golden.height * golden.width * 3 }, (_, i) => {
  const x = Math.trunc(i / 3) % golden.width
  const y = Math.trunc(i / 3 / golden.width)
  if (y >= 12 && y < 20 && x >= 14 && x < 24) return 255
  if (y >= 8 && y < 16 && x >= 10 && x < 20) return 0
  return (x * x * 7 + y * 13 + x * y * 3 + (i % 3) * 29) % 256
})

describe('against Pillow', () => {
  it.each(golden.cases.map((c) => [`${c.kernel} ${c.fit} ${c.size}${c.grey ? ' grey' : ''}`, c] as const))(
    '%s equals it to the last level',
    async (_, { fit, kernel, size, grey, data }) => {
      const png = await raw(pixels, golden.height, golden.width, 3).png().toBuffer()
      const levels = await takeLevels(readImage(png, { size, fit, kernel, channels: grey ? 1 : 3 }))
      expect(levels.map(Math.round)).toEqual(data)
    },
  )

  it('resizeImage agrees within a level where nothing overshoots', async () => {
    const image = fromUint8(pixels, [golden.height, golden.width, 3])
    for (const { fit, kernel, size, data } of golden.cases.filter((c) => c.kernel === 'linear' && !c.grey)) {
      const levels = await takeLevels(resizeImage(image, size, { fit, kernel }))
      levels.forEach((v, i) => {
        expect(Math.abs(v - data[i]!)).toBeLessThan(1.01)
      })
    }
    image.dispose()
  })
})

describe('resizing', () => {
  it('keeps an even picture even, with every kernel and direction', async () => {
    const image = constant(0.3, [1, 13, 9, 1])
    for (const kernel of ['lanczos3', 'cubic', 'linear', 'nearest'] as const) {
      for (const size of [3, [40, 5] as const]) {
        const { values } = await take(resizeImage(image, size, { kernel }))
        expect(Math.max(...values.map((v) => Math.abs(v - 0.3))), kernel).toBeLessThan(1e-6)
      }
    }
    image.dispose()
  })

  it('keeps 16-bit pictures above 8-bit resolution', async () => {
    const ramp = Uint16Array.from({ length: 64 }, (_, i) => 1000 + i)
    const png = await raw(ramp, 8, 8, 1).png().toBuffer()
    const levels = await takeLevels(readImage(png, { channels: 1, size: 4, kernel: 'linear' }), 65535)
    expect(new Set(levels.map((v) => v.toFixed(2))).size).toBe(16)
    // Interior columns of a ramp, halved: two steps apart.
    expect(levels[6]! - levels[5]!).toBeCloseTo(2, 1)
  })

  it('contain pads with the background, cover cuts both ends', async () => {
    const image = tf.tensor4d([0.2, 0.4, 0.6, 0.8], [1, 1, 4, 1])
    const contained = await take(resizeImage(image, 4, { fit: 'contain', background: 1, kernel: 'nearest' }))
    expect(contained.values.map((v) => Number(v.toFixed(3)))).toEqual([
      1, 1, 1, 1, 1, 1, 1, 1, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1,
    ])
    const covered = await take(resizeImage(image, [1, 2], { kernel: 'nearest' }))
    expect(covered.values.map((v) => Number(v.toFixed(3)))).toEqual([0.4, 0.6])
    image.dispose()
  })

  it('refuses a batch', async () => {
    const batch = constant(0, [2, 4, 4, 3])
    await expect(resizeImage(batch, 8)).rejects.toMatchObject({ code: 'shape' })
    batch.dispose()
  })
})
