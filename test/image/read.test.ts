import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readImage } from '../../src/image/index.js'
import { pattern, raw, take, takeLevels, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()

describe('kinds of files', () => {
  it('reads 8-bit colour exactly, from a path and from bytes', async () => {
    const pixels = pattern(5 * 7 * 3)
    const png = await raw(pixels, 5, 7, 3).png().toBuffer()
    const path = join(folder, 'colour.png')
    writeFileSync(path, png)
    const { shape, values } = await take(readImage(path))
    expect(shape).toEqual([1, 5, 7, 3])
    expect(values).toEqual(Array.from(pixels, (v) => Math.fround(v / 255)))
    expect((await take(readImage(png))).values).toEqual(values)
    // A file that is written again is read again.
    writeFileSync(
      path,
      await raw(
        pixels.map((v) => 255 - v),
        5,
        7,
        3,
      )
        .png()
        .toBuffer(),
    )
    expect((await take(readImage(path))).values[0]).toBeCloseTo(1 - values[0]!, 6)
  })

  it('keeps all 16 bits of grey', async () => {
    const pixels = Uint16Array.from({ length: 64 }, (_, i) => (i * 1039 + 7) % 65536)
    const png = await raw(pixels, 8, 8, 1).png().toBuffer()
    expect((await take(readImage(png, { channels: 1 }))).values).toEqual(
      Array.from(pixels, (v) => Math.fround(v / 65535)),
    )
    const three = await take(readImage(png))
    expect(three.shape).toEqual([1, 8, 8, 3])
    expect(three.values).toEqual(
      Array.from({ length: 192 }, (_, i) => Math.fround(pixels[Math.trunc(i / 3)]! / 65535)),
    )
  })

  it('keeps all 16 bits of colour', async () => {
    const pixels = Uint16Array.from({ length: 4 * 3 * 3 }, (_, i) => (i * 2741) % 65536)
    const png = await raw(pixels, 4, 3, 3).png().toBuffer()
    expect((await take(readImage(png))).values).toEqual(Array.from(pixels, (v) => Math.fround(v / 65535)))
  })

  it('stretches a window of stored values', async () => {
    const png = await raw(Uint16Array.of(0, 1000, 2000, 4095, 9000, 100), 2, 3, 1)
      .png()
      .toBuffer()
    const values = async (window: [number, number] | 'minmax') =>
      (await take(readImage(png, { channels: 1, window }))).values
    expect(await values([0, 4095])).toEqual([0, 1000 / 4095, 2000 / 4095, 1, 1, 100 / 4095].map(Math.fround))
    expect(await values([1000, 2000])).toEqual([0, 0, 1, 1, 1, 0])
    expect(await values('minmax')).toEqual([0, 1000, 2000, 4095, 9000, 100].map((v) => Math.fround(v / 9000)))
    const even = await raw(Uint8Array.of(9, 9), 1, 2, 1).png().toBuffer()
    expect((await take(readImage(even, { channels: 1, window: 'minmax' }))).values).toEqual([0, 0])
    await expect(readImage(png, { window: [5, 5] })).rejects.toMatchObject({ code: 'argument' })
  })

  it('lays transparency over the background, black by default', async () => {
    const rgba = await raw(Uint8Array.of(200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51), 1, 3, 4)
      .png()
      .toBuffer()
    expect(await takeLevels(readImage(rgba))).toEqual(closeTo([200, 100, 0, 0, 0, 0, 40, 20, 0]))
    expect(await takeLevels(readImage(rgba, { background: [1, 0, 1] }))).toEqual(
      closeTo([200, 100, 0, 255, 0, 255, 244, 20, 204]),
    )
    const deep = await raw(Uint16Array.of(50000, 65535, 50000, 0), 1, 2, 2)
      .png()
      .toBuffer()
    expect(await takeLevels(readImage(deep, { channels: 1, background: 1 }), 65535)).toEqual(
      closeTo([50000, 65535]),
    )
  })

  it('reads palettes, lossless WebP and GIF of one frame', async () => {
    const picture = raw(Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 255, 0, 255, 255, 255), 2, 2, 3)
    const expected = closeTo([255, 0, 0, 0, 0, 255, 0, 255, 0, 255, 255, 255])
    const palette = await picture.clone().png({ palette: true }).toBuffer()
    expect((await sharp(palette).metadata()).isPalette).toBe(true)
    expect(await takeLevels(readImage(palette))).toEqual(expected)
    expect(await takeLevels(readImage(await picture.clone().webp({ lossless: true }).toBuffer()))).toEqual(
      expected,
    )
    expect(await takeLevels(readImage(await picture.clone().gif().toBuffer()))).toEqual(expected)
  })

  it('turns a picture upright by its EXIF orientation', async () => {
    const pixels = Uint8Array.of(10, 20, 30, 40, 50, 60) // 2 rows of 3
    const upright = {
      1: [10, 20, 30, 40, 50, 60],
      3: [60, 50, 40, 30, 20, 10],
      6: [40, 10, 50, 20, 60, 30],
      8: [30, 60, 20, 50, 10, 40],
    }
    for (const [orientation, expected] of Object.entries(upright)) {
      const png = await raw(pixels, 2, 3, 1)
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer()
      const { shape, values } = await take(readImage(png, { channels: 1 }))
      expect(shape, orientation).toEqual(Number(orientation) > 4 ? [1, 3, 2, 1] : [1, 2, 3, 1])
      expect(
        values.map((v) => Math.round(v * 255)),
        orientation,
      ).toEqual(expected)
    }
  })

  it('leaves the numbers of a picture with a colour profile alone', async () => {
    const png = await raw(pattern(48), 4, 4, 3).withIccProfile('p3').png().toBuffer()
    const stored = [...(await sharp(png, { ignoreIcc: true }).raw().toBuffer())]
    expect([...(await sharp(png).raw().toBuffer())]).not.toEqual(stored)
    expect(await takeLevels(readImage(png))).toEqual(closeTo(stored))
  })

  it('converts a CMYK JPEG to sRGB', async () => {
    const cmyk = await sharp({ create: { width: 9, height: 8, channels: 3, background: '#c8034d' } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer()
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk')
    const { shape, values } = await take(readImage(cmyk))
    expect(shape).toEqual([1, 8, 9, 3])
    const [r, g, b] = values
    for (const [got, want] of [
      [r, 0xc8],
      [g, 0x03],
      [b, 0x4d],
    ] as const)
      expect(Math.abs(got! * 255 - want)).toBeLessThan(12)
  })

  it('reads one pixel, at its size and enlarged', async () => {
    const png = await raw(Uint8Array.of(255, 51, 0), 1, 1, 3)
      .png()
      .toBuffer()
    expect(await takeLevels(readImage(png))).toEqual(closeTo([255, 51, 0]))
    const { shape, values } = await take(readImage(png, { size: [2, 3] }))
    expect(shape).toEqual([1, 2, 3, 3])
    for (let i = 0; i < 18; i += 3) expect(values.slice(i, i + 3)).toEqual([1, Math.fround(0.2), 0])
  })
})

describe('bad input', () => {
  it('tells a missing file, a folder, an empty file and no picture apart', async () => {
    const message = (source: string | Uint8Array) =>
      readImage(source).then(
        () => 'no error',
        (error) => `${error.code}: ${error.message}`,
      )
    expect(await message(join(folder, 'absent.png'))).toMatch(
      /^image: .*absent\.png, which does not exist.*resolved against/,
    )
    expect(await message(folder)).toMatch(/^image: .*EISDIR/)
    expect(await message(new Uint8Array(0))).toMatch(/^image: .*empty/)
    expect(await message(new TextEncoder().encode('%PDF-1.7 and so on'))).toMatch(/^image: .*none of them/)
    expect(
      await message(
        new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      ),
    ).toMatch(/^image: .*svg/)
    const dicom = new Uint8Array(200)
    dicom.set(new TextEncoder().encode('DICM'), 128)
    expect(await message(dicom)).toMatch(/^image: .*DICOM.*16-bit/)
  })

  it('refuses a truncated file wherever it was cut', async () => {
    const pixels = pattern(64 * 64 * 3)
    for (const format of ['png', 'jpeg', 'webp', 'gif'] as const) {
      const whole = await raw(pixels, 64, 64, 3)[format]().toBuffer()
      for (let eighth = 1; eighth < 8; eighth++) {
        const cut = whole.subarray(0, Math.floor((whole.length * eighth) / 8))
        await expect(readImage(cut), `${format} ${eighth}/8`).rejects.toMatchObject({
          name: 'ImageError',
          code: 'image',
        })
      }
    }
  })

  it('survives flipped bytes: a picture of the stated size or a typed error', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const whole = await raw(pattern(16 * 16 * 3), 16, 16, 3)
        [format]()
        .toBuffer()
      for (let i = 0; i < 60; i++) {
        const bytes = Uint8Array.from(whole)
        bytes[(i * 7919) % bytes.length]! ^= 1 << (i % 8)
        try {
          const image = await readImage(bytes, { maxPixels: 4096 })
          expect(image.shape[3]).toBe(3)
          image.dispose()
        } catch (error) {
          expect(error).toMatchObject({ code: 'image' })
        }
      }
    }
  })

  it('names the frames of an animation and reads the one that is asked for', async () => {
    const frames = Uint8Array.from({ length: 3 * 8 * 8 * 3 }, (_, i) => [0, 120, 255][Math.trunc(i / 192)]!)
    const film = sharp(frames, { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })
    for (const bytes of [
      await film.clone().webp({ lossless: true }).toBuffer(),
      await film.clone().gif().toBuffer(),
    ]) {
      await expect(readImage(bytes)).rejects.toThrow(/3 frames.*`page`, from 0 to 2/)
      await expect(readImage(bytes, { page: 3 })).rejects.toThrow(/3 frames and page 3/)
      const { shape, values } = await take(readImage(bytes, { page: 1 }))
      expect(shape).toEqual([1, 8, 8, 3])
      expect(Math.round(values[0]! * 255)).toBe(120)
    }
  })

  it('recognises an animated PNG', async () => {
    const png = await raw(Uint8Array.of(1, 2, 3), 1, 1, 3)
      .png()
      .toBuffer()
    const chunk = Buffer.alloc(20)
    chunk.writeUInt32BE(8, 0)
    chunk.write('acTL', 4, 'latin1')
    chunk.writeUInt32BE(5, 8)
    chunk.writeUInt32BE(0x8b4d3c21, 16) // an ancillary chunk: its checksum is only warned about
    const animated = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)])
    await expect(readImage(animated)).rejects.toThrow(/5 frames.*page: 0/)
    await expect(readImage(png, { page: 1 })).rejects.toThrow(/1 frame and page 1/)
  })

  it('refuses a decompression bomb by its header, with both numbers', async () => {
    const bomb = await sharp({
      create: { width: 9000, height: 9000, channels: 3, background: '#000' },
      limitInputPixels: false,
    })
      .png({ compressionLevel: 9 })
      .toBuffer()
    expect(bomb.length).toBeLessThan(500_000)
    await expect(readImage(bomb)).rejects.toThrow(
      /at most 67108864 pixels.*9000×9000 = 81000000 pixels.*maxPixels/,
    )
    const small = await raw(pattern(100), 10, 10, 1).png().toBuffer()
    await expect(readImage(small, { maxPixels: 99 })).rejects.toThrow(/at most 99.*100 pixels/)
    ;(await readImage(small, { maxPixels: 100 })).dispose()
  })

  it('checks its options before it opens the file', async () => {
    for (const options of [
      { size: 0 },
      { size: 1.5 },
      { size: [8, Number.NaN] as [number, number] },
      { channels: 4 as never },
      { background: 2 },
      { page: -1 },
      { maxPixels: Number.NaN },
    ]) {
      await expect(readImage('absent.png', options), JSON.stringify(options)).rejects.toMatchObject({
        code: 'argument',
      })
    }
    const png = await raw(Uint8Array.of(1, 2, 3), 1, 1, 3)
      .png()
      .toBuffer()
    await expect(readImage(png, { size: 4, kernel: 'mitchell' as never })).rejects.toThrow(
      /lanczos3, cubic, linear, nearest/,
    )
    await expect(readImage(png, { size: 4, fit: 'inside' as never })).rejects.toThrow(/cover, contain, fill/)
  })
})

function closeTo(values: number[]): unknown[] {
  return values.map((v) => expect.closeTo(v, 2))
}
