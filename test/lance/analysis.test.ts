import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusterEdits, meanSensitivity, predictionChange, sensitivity } from '../../src/lance/index.js'

const seven = { a: 0.3, b: 0.2, c: 0.15, d: 0.124, e: 0.12, f: 0.1, g: 0.006 }

// D7: the published code knows the five likeliest labels alone, in whole per cent.
test('D7: sensitivity sees what moves below the fifth place', () => {
  const after = { ...seven, e: 0.13, f: 0.04, g: 0.056 }
  expect(sensitivity(seven, after, 'f')).toBeCloseTo(0.06, 12)
  expect(sensitivity(seven, after, 'f', { dialect: 'lance-2023' })).toBe(0)
  expect(sensitivity(seven, { ...seven, a: 0.304 }, 'a')).toBeCloseTo(0.004, 12)
  expect(sensitivity(seven, { ...seven, a: 0.304 }, 'a', { dialect: 'lance-2023' })).toBe(0)
})

test('the dialect counts a label that fell out of the first five as 0', () => {
  const after = { ...seven, e: 0.05 }
  expect(sensitivity(seven, after, 'e', { dialect: 'lance-2023' })).toBe(12)
})

test('sensitivity is a distance', () => {
  const p = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(p, p, (a, b) => {
      const value = sensitivity({ y: a }, { y: b }, 'y')
      expect(value).toBe(sensitivity({ y: b }, { y: a }, 'y'))
      expect(value >= 0 && value <= 1).toBe(true)
      expect(sensitivity({ y: a }, { y: a }, 'y')).toBe(0)
    }),
  )
})

test.each([
  [{ x: 0.5 }, /labels x/],
  [{ y: 1.5 }, /got 1\.5/],
  [{ y: Number.NaN }, /got NaN/],
])('a prediction that is no probability of the label is refused: %o', (bad, message) => {
  expect(() => sensitivity({ y: 0.5 }, bad as { y: number }, 'y')).toThrow(message)
})

test('the change of a prediction is signed, over the labels of both', () => {
  expect(predictionChange({ a: 0.75, b: 0.25, c: 0 }, { a: 0.25, b: 0.5, d: 1 })).toEqual({
    a: -0.5,
    b: 0.25,
  })
})

test('an interval resamples pictures, not edits', () => {
  // Twelve pictures whose edits all agree: a hundred edits say no more than twelve.
  const rows = (edits: number) =>
    Array.from({ length: 12 * edits }, (_, i) => ({ picture: `p${i % 12}`, sensitivity: (i % 12) / 12 }))
  const [one, many] = [meanSensitivity(rows(1)), meanSensitivity(rows(10))]
  expect(many).toMatchObject({ mean: expect.closeTo(one.mean, 10), edits: 120, pictures: 12 })
  expect(many.interval![0]).toBeCloseTo(one.interval![0], 10)
  expect(many.interval![1]).toBeCloseTo(one.interval![1], 10)
  expect(one.interval![0]).toBeLessThan(one.mean)
})

test('one picture has no interval, and says why', () => {
  expect(meanSensitivity([{ picture: 'p', sensitivity: 0.5 }])).toMatchObject({
    mean: 0.5,
    interval: null,
    flags: ['one-patient'],
  })
})

// Captions as points of a plane: "x,y".
const plane = {
  embedTexts: (texts: readonly string[]) =>
    tf.tensor2d(texts.map((text) => text.split(',').map(Number) as [number, number])),
}

test('clusters are named by the edit nearest to the centre, most sensitive first', async () => {
  const edit = (target: string, sensitivity: number, name: string, i: number) => ({
    ...{ source: '1,0', target, sensitivity, name },
    picture: `p${i % 12}`,
  })
  const edits = [
    ...Array.from({ length: 9 }, (_, i) => edit(`0,${1 + i / 10}`, 0.1, `up ${i}`, i)),
    edit('0.08,1', 0.1, 'up, askew', 10),
    edit('-0.08,-1', 0.8, 'down, askew', 11),
    ...Array.from({ length: 9 }, (_, i) => edit(`0,${-1 - i / 10}`, 0.8, `down ${i}`, i)),
  ]
  const clusters = await clusterEdits(plane, edits, { k: 2 })
  expect(clusters.map(({ mean }) => mean)).toEqual([expect.closeTo(0.8), expect.closeTo(0.1)])
  expect(clusters.map(({ name }) => name.split(' ')[0])).toEqual(['down', 'up'])
  expect(clusters.map(({ name }) => name)).not.toContain('up, askew')
  expect(clusters[0]!.members).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  expect(await clusterEdits(plane, edits, { k: 2 })).toEqual(clusters)
})

test('never more clusters than different edits', async () => {
  const same = { source: '1,0', target: '0,1', sensitivity: 0.5, name: 'up', picture: 'p' }
  const clusters = await clusterEdits(plane, [same, same, same])
  expect(clusters).toHaveLength(1)
  expect(clusters[0]).toMatchObject({ name: 'up', edits: 3, pictures: 1 })
  await expect(clusterEdits(plane, [])).rejects.toThrow(/number of edits/)
})
