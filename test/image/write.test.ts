import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { encodePng, fromUint8, readImage, toUint8, writeImage } from '../../src/image/index.js'
import { constant, pattern, take, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()

describe('round trips', () => {
  it('PNG and WebP give every level back', async () => {
    const pixels = pattern(6 * 5 * 3)
    const image = fromUint8(pixels, [6, 5, 3])
    for (const name of ['a.png', 'a.webp']) {
      await writeImage(join(folder, name), image)
      const back = await readImage(join(folder, name))
      expect(await toUint8(back), name).toEqual(pixels)
      back.dispose()
    }
    image.dispose()
  })

  it('a 16-bit PNG gives every level back, grey and colour', async () => {
    for (const channels of [1, 3] as const) {
      const levels = Array.from({ length: 7 * 4 * channels }, (_, i) => (i * 3001 + 5) % 65536)
      const image = tf.tensor4d(
        levels.map((v) => v / 65535),
        [1, 7, 4, channels],
      )
      const path = join(folder, `deep-${channels}.png`)
      await writeImage(path, image, { bitDepth: 16 })
      expect(await sharp(path).metadata()).toMatchObject({ depth: 'ushort', channels })
      const back = await take(readImage(path, { channels }))
      expect(back.values.map((v) => Math.round(v * 65535))).toEqual(levels)
      image.dispose()
    }
  })

  it('JPEG keeps red beside blue: its colour is not subsampled', async () => {
    const image = fromUint8(
      Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => [255, 0, 0, 0, 0, 255][i % 6]!),
      [16, 16, 3],
    )
    const path = join(folder, 'stripes.JPG')
    await writeImage(path, image)
    expect(await sharp(path).metadata()).toMatchObject({ format: 'jpeg', chromaSubsampling: '4:4:4' })
    const { values } = await take(readImage(path))
    expect(values[0]! - values[3]!).toBeGreaterThan(0.8)
    image.dispose()
  })

  it('encodePng embeds what writeImage writes, [h, w, 1] too', async () => {
    const image = tf.tensor3d([0, 0.5, 1], [1, 3, 1])
    const bytes = await encodePng(image)
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', channels: 1, width: 3, height: 1 })
    expect((await take(readImage(bytes, { channels: 1 }))).values.map((v) => v * 255)).toEqual(
      [0, 128, 255].map((v) => expect.closeTo(v, 3)),
    )
    image.dispose()
  })

  it('fromUint8 and toUint8 are inverse', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(1, 3),
        fc.nat(),
        async (h, w, c, seed) => {
          const bytes = Uint8Array.from({ length: h * w * c }, (_, i) => (seed + i * 37) % 256)
          const image = fromUint8(bytes, [h, w, c])
          expect(await toUint8(image)).toEqual(bytes)
          image.dispose()
        },
      ),
      { numRuns: 60 },
    )
    expect(() => fromUint8(new Uint8Array(5), [1, 2, 3])).toThrow(/6 bytes.*got 5/)
  })
})

describe('rounding', () => {
  it('clamps, and rounds ties to even', async () => {
    // x.5 / 255 in float32, whose float32 product with 255 is exactly x.5; expected: numpy (images * 255).round().
    const ties = Array.from({ length: 255 }, (_, i) => i + 0.5).filter(
      (v) => Math.fround(Math.fround(v / 255) * 255) === v,
    )
    expect(ties.length).toBeGreaterThan(150)
    const image = tf.tensor4d([...ties.map((v) => v / 255), -0.1, 1.1], [1, 1, ties.length + 2, 1])
    const levels = await toUint8(image)
    expect(Array.from(levels)).toEqual([...ties.map((v) => 2 * Math.round(v / 2)), 0, 255])
    image.dispose()
  })
})

describe('bad input', () => {
  it('counts NaN and infinite pixels and writes nothing', async () => {
    const image = tf.tensor4d([Number.NaN, 0, 1, Number.NaN, 0.5, Number.POSITIVE_INFINITY], [1, 1, 2, 3])
    const path = join(folder, 'nan.png')
    await expect(writeImage(path, image)).rejects.toMatchObject({
      code: 'numeric',
      message: expect.stringContaining('3 of 6'),
    })
    await expect(encodePng(image)).rejects.toMatchObject({ code: 'numeric' })
    expect(existsSync(path)).toBe(false)
    image.dispose()
  })

  it('refuses a batch, channels-first and alpha with the mend', async () => {
    const images = [constant(0, [2, 4, 4, 3]), constant(0, [1, 3, 4, 4]), constant(0, [1, 0, 4, 3])]
    await expect(writeImage(join(folder, 'b.png'), images[0]!)).rejects.toThrow(
      /one picture.*tf\.split\(images, 2\)/,
    )
    await expect(writeImage(join(folder, 'b.png'), images[1]!)).rejects.toThrow(/channels-last/)
    await expect(writeImage(join(folder, 'b.png'), images[2]!)).rejects.toMatchObject({ code: 'shape' })
    for (const image of images) image.dispose()
  })

  it('refuses endings and options that do not go together', async () => {
    const image = constant(0.5, [1, 2, 2, 3])
    for (const [name, options] of [
      ['a.bmp', {}],
      ['a', {}],
      ['a.png', { quality: 90 }],
      ['a.jpg', { bitDepth: 16 }],
      ['a.jpg', { quality: 0 }],
      ['a.webp', { quality: 101 }],
      ['a.png', { bitDepth: 12 as never }],
    ] as const) {
      await expect(writeImage(join(folder, 'bad', name), image, options), name).rejects.toMatchObject({
        code: 'argument',
      })
    }
    expect(existsSync(join(folder, 'bad'))).toBe(false)
    image.dispose()
  })

  it('names a path that cannot be written and leaves nothing partial', async () => {
    writeFileSync(join(folder, 'file'), 'not a folder')
    const image = constant(0.5, [1, 2, 2, 3])
    await expect(writeImage(join(folder, 'file', 'x.png'), image)).rejects.toMatchObject({ code: 'image' })
    await writeImage(join(folder, 'made', 'deeper', 'x.png'), image)
    expect(readdirSync(join(folder, 'made', 'deeper'))).toEqual(['x.png'])
    image.dispose()
  })
})
