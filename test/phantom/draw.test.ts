import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { type Attributes, counterfactual, heldOut, training } from '../../examples/phantom/causal-graph.js'
import { heldOutWith, phantomBatch } from '../../examples/phantom/dataset.js'
import { draw } from '../../examples/phantom/draw.js'

/** The part of each quantity's changed pixels (by more than 2 %) that lies in a region of the picture. */
function localised(action: Partial<Attributes>, inside: (x: number, y: number) => boolean) {
  let changed = 0
  let within = 0
  for (let i = 0; i < 20; i++) {
    const factual = counterfactual(heldOut(i), {
      line: false,
      pacemaker: false,
      cardiomegaly: true,
      effusion: false,
    })
    const [before, after] = [draw(factual, 64), draw(counterfactual(factual, action), 64)]
    before.forEach((value, pixel) => {
      if (Math.abs(value - after[pixel]!) < 0.02) return
      changed++
      if (inside(((pixel % 64) + 0.5) / 64 - 0.5, (Math.floor(pixel / 64) + 0.5) / 64)) within++
    })
  }
  return { perPicture: changed / 20, within: within / changed }
}

describe('draw', () => {
  it('is a function of the seed', () => {
    const bytes = Uint8Array.from(draw(heldOut(6), 64), (value) => Math.round(255 * value))
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe('de563b0aec0305b6')
    expect(draw(heldOut(6), 64)).toEqual(draw(heldOut(6), 64))
    expect(draw(heldOut(6), 64)).not.toEqual(draw(heldOut(7), 64))
  })

  it.each([128, 256])('draws the same picture at %i pixels', (size) => {
    for (const each of heldOutWith({ cardiomegaly: true, pacemaker: true, line: true }, 3)) {
      const [small, large] = [draw(each, 64), draw(each, size)]
      const factor = size / 64
      let squares = 0
      for (let y = 0; y < 64; y++)
        for (let x = 0; x < 64; x++) {
          let mean = 0
          for (let dy = 0; dy < factor; dy++)
            for (let dx = 0; dx < factor; dx++)
              mean += large[(y * factor + dy) * size + x * factor + dx]! / factor ** 2
          squares += (mean - small[y * 64 + x]!) ** 2
        }
      expect(Math.sqrt(squares / 4096)).toBeLessThan(0.025)
    }
  })

  it('changes only the heart with cardiomegaly', () => {
    const { perPicture, within } = localised(
      { cardiomegaly: false },
      (x, y) => Math.abs(x) < 0.4 && y > 0.38 && y < 0.85,
    )
    expect(perPicture).toBeGreaterThan(60)
    expect(within).toBe(1)
  })

  it('keeps the devices apart, each in its own half', () => {
    const pacemaker = localised({ pacemaker: true }, (x, y) => x > 0 && y > 0.05 && y < 0.72)
    // A few leads end a pixel past the midline.
    expect(pacemaker.within).toBeGreaterThan(0.99)
    expect(pacemaker.perPicture).toBeGreaterThan(60)
    const line = localised({ line: true }, (x, y) => x < 0 && x > -0.25 && y < 0.6)
    expect(line).toMatchObject({ within: 1 })
    expect(line.perPicture).toBeGreaterThan(60)
  })

  it('puts effusion at the bases of the lungs', () => {
    const { perPicture, within } = localised({ effusion: true }, (_, y) => y > 0.45 && y < 0.9)
    expect(perPicture).toBeGreaterThan(40)
    expect(within).toBe(1)
  })
})

describe('phantomBatch', () => {
  it('gives three equal channels in [0, 1] and the patients behind them', () => {
    const batch = phantomBatch([3, 1], { size: 64 })
    expect(batch.shape).toEqual([2, 64, 64, 3])
    expect(batch.images).toHaveLength(2 * 64 * 64 * 3)
    expect(batch.patients).toEqual([training(3), training(1)])
    const grey = draw(training(1), 64)
    const start = 64 * 64 * 3
    for (let pixel = 0; pixel < grey.length; pixel += 97)
      for (let c = 0; c < 3; c++) expect(batch.images[start + 3 * pixel + c]).toBe(grey[pixel])
  })

  it('gives the same pictures other captions in another epoch', () => {
    const indices = Array.from({ length: 12 }, (_, i) => i)
    const [first, second] = [phantomBatch(indices), phantomBatch(indices, { captionSeed: 1 })]
    expect(second.images).toEqual(first.images)
    expect(second.captions).not.toEqual(first.captions)
  })
})

describe('held-out pictures', () => {
  it('are what the command writes', async () => {
    for (const each of heldOutWith({ cardiomegaly: true, pacemaker: true, line: true }, 3)) {
      const file = `${import.meta.dirname}/../../examples/phantom/held-out/phantom-${each.seed}.png`
      const stored = new Uint8Array(await sharp(file).extractChannel(0).raw().toBuffer())
      expect(stored).toEqual(Uint8Array.from(draw(each, 64), (value) => Math.round(255 * value)))
    }
  })
})
