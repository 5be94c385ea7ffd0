import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { cardiothoracicRatio } from '../../examples/phantom/anatomy.js'
import { counterfactual, heldOut } from '../../examples/phantom/causal-graph.js'
import { heldOutWith, phantomBatch } from '../../examples/phantom/dataset.js'
import { DEGRADATION, degrade } from '../../examples/phantom/degrade.js'
import { detect, detectImages } from '../../examples/phantom/detectors.js'
import { draw } from '../../examples/phantom/draw.js'

const patients = Array.from({ length: 200 }, (_, i) => heldOut(i))
const sharpPictures = patients.map((each) => draw(each, 64))

describe.each([
  ['as drawn', sharpPictures],
  ['blurred and noisy', sharpPictures.map((grey, i) => degrade(grey, DEGRADATION, i))],
])('detectors on pictures %s', (_, pictures) => {
  const seen = pictures.map(detect)

  it.each(['cardiomegaly', 'effusion', 'pacemaker', 'line'] as const)('find %s', (sign) => {
    const right = seen.filter((each, i) => each[sign] > 0.5 === patients[i]!.attributes[sign])
    expect(right.length / 200).toBeGreaterThanOrEqual(0.97)
  })

  it('tell sex, age and the cardiothoracic ratio', () => {
    const right = seen.filter((each, i) => each.female > 0.5 === (patients[i]!.attributes.sex === 'female'))
    expect(right.length / 200).toBeGreaterThanOrEqual(0.9)
    const mean = (errors: number[]) => errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length
    expect(mean(seen.map((each, i) => each.age - patients[i]!.attributes.age))).toBeLessThan(9)
    expect(
      mean(seen.map((each, i) => each.cardiothoracicRatio - cardiothoracicRatio(patients[i]!))),
    ).toBeLessThan(0.025)
  })
})

describe('detectors', () => {
  it('are not fooled by the heart or by each other', () => {
    for (const each of patients.slice(0, 60)) {
      const score = (action: Parameters<typeof counterfactual>[1]) =>
        detect(draw(counterfactual(each, action), 64))
      const bare = score({ pacemaker: false, line: false, cardiomegaly: false })
      const large = score({ pacemaker: false, line: false, cardiomegaly: true })
      const lined = score({ pacemaker: false, line: true, cardiomegaly: false })
      const paced = score({ pacemaker: true, line: false, cardiomegaly: false })
      expect(Math.abs(large.pacemaker - bare.pacemaker)).toBeLessThan(0.01)
      expect(Math.abs(large.line - bare.line)).toBeLessThan(0.01)
      expect(Math.abs(lined.pacemaker - bare.pacemaker)).toBeLessThan(0.01)
      expect(Math.abs(paced.line - bare.line)).toBeLessThan(0.03)
      expect(Math.abs(paced.cardiomegaly - bare.cardiomegaly)).toBeLessThan(0.05)
    }
  })

  it.each(['pacemaker', 'line'] as const)('follow a %s that fades', (device) => {
    const fading = heldOutWith({ pacemaker: true, line: true }, 30).map((each) => {
      const [withIt, without] = [draw(each, 64), draw(counterfactual(each, { [device]: false }), 64)]
      return [0, 0.25, 0.5, 0.75, 1].map(
        (part) => detect(withIt.map((value, i) => value + part * (without[i]! - value)))[device],
      )
    })
    for (const scores of fading) {
      expect(scores[2]).toBeLessThan(scores[0]!)
      expect(scores[0]).toBeGreaterThan(0.5)
      expect(scores[4]).toBeLessThan(0.5)
    }
    const mean = (at: number) => fading.reduce((sum, scores) => sum + scores[at]!, 0) / fading.length
    expect(mean(0)).toBeGreaterThan(0.85)
    expect(mean(4)).toBeLessThan(0.15)
  })

  it('read a batch of any size like single pictures', async () => {
    const { images, shape, patients: drawn } = phantomBatch([0, 1], { size: 128 })
    const batch = tf.tensor4d(images, [...shape])
    const seen = await detectImages(batch)
    batch.dispose()
    seen.forEach((each, i) => {
      const alone = detect(draw(drawn[i]!, 128))
      for (const name of ['line', 'age', 'effusion'] as const) expect(each[name]).toBeCloseTo(alone[name], 4)
    })
  })

  it('refuse a raster that they cannot average', () => {
    expect(() => detect(new Float32Array(100 * 100))).toThrow(/multiple of 64/)
    expect(() => detect(new Float32Array(64 * 63))).toThrow(RangeError)
  })

  it('give finite answers on an empty picture', () => {
    for (const value of Object.values(detect(new Float32Array(4096))))
      expect(value).toSatisfy(Number.isFinite)
  })
})
