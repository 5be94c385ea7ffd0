import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import {
  type Embedder,
  type Evidence,
  gatePresets,
  gatherEvidence,
  judge,
  passRates,
  sourceEvidence,
} from '../../src/lance/index.js'
import { perturbation } from './toys.js'

const grey = (level: number) => tf.fill([1, 8, 8, 3], level) as tf.Tensor4D

// Pictures by their level, texts by a table: every cosine can be worked out on paper.
const table: Record<string, readonly number[]> = {
  'a b': [1, 0],
  'a c': [0, 1],
  b: [1, 0],
  c: [0, 1],
}
const embedder: Embedder = {
  embedImages: (images) =>
    tf.tidy(() => {
      const level = images.mean([1, 2, 3])
      return tf.stack([tf.sub(1, level), level], 1) as tf.Tensor2D
    }),
  embedTexts: (texts) => tf.tensor2d(texts.map((text) => [...table[text]!])),
}
const changed = perturbation('a b', 'a c', { replaced: [['b', 'c']] })

async function evidenceOf(from: number, to: number, what = changed): Promise<Evidence> {
  const [original, reconstruction, edited] = [grey(from), grey(from), grey(to)]
  const source = await sourceEvidence(embedder, original, reconstruction)
  const evidence = await gatherEvidence(embedder, source, edited, what)
  tf.dispose([original, reconstruction, edited])
  return evidence
}

test('similarities are the cosines of the published formulas', async () => {
  const { imageImage, sourceText, targetText, directional, newWords, oldWords, psnr } = await evidenceOf(
    0.2,
    0.6,
  )
  const unit = (x: number, y: number) => [x / Math.hypot(x, y), y / Math.hypot(x, y)] as const
  const [i1, i2] = [unit(0.8, 0.2), unit(0.4, 0.6)]
  const d = [i2[0] - i1[0], i2[1] - i1[1]] as const
  expect(imageImage).toBeCloseTo(i1[0] * i2[0] + i1[1] * i2[1], 5)
  expect(sourceText).toBeCloseTo(i1[0], 5)
  expect(targetText).toBeCloseTo(i2[1], 5)
  expect(directional).toBeCloseTo((d[1] - d[0]) / Math.hypot(...d) / Math.SQRT2, 5)
  expect([newWords, oldWords]).toEqual([expect.closeTo(i2[1], 5), expect.closeTo(i2[0], 5)])
  expect(psnr).toBeNull()
})

test('an edit that changes nothing has no direction, and the directional gate says so', async () => {
  const evidence = await evidenceOf(0.2, 0.2)
  expect(evidence.directional).toBeNull()
  const [verdict] = await judge([{ gate: 'directional', min: -1 }], evidence)
  expect(verdict).toMatchObject({ passed: false, values: { directional: null } })
  expect(verdict!.note).toContain('nothing changed')
})

test('every gate answers, with its numbers and its threshold', async () => {
  const verdicts = await judge(gatePresets['lance-2023'], await evidenceOf(0.2, 0.9))
  expect(verdicts.map(({ gate }) => gate)).toEqual([
    'image-image',
    'text-image',
    'directional',
    'prediction-consistency',
  ])
  expect(verdicts.map(({ min }) => min)).toEqual([0.7, 0.2, 0.2, 0])
  expect(verdicts.map(({ passed }) => passed)).toEqual([false, true, true, true])
  for (const { values } of verdicts)
    for (const value of Object.values(values)) expect(value).toBeTypeOf('number')
})

test('text-image asks for both captions', async () => {
  const [verdict] = await judge([{ gate: 'text-image', min: 0.5 }], await evidenceOf(0.2, 0.25))
  expect(verdict).toMatchObject({ passed: false })
  expect(verdict!.values.sourceText).toBeGreaterThan(0.5)
  expect(verdict!.values.targetText).toBeLessThan(0.5)
})

test('prediction consistency is of the edited picture, and does not apply to insertions', async () => {
  const consistency = async (to: number, what = changed) =>
    (await judge([{ gate: 'prediction-consistency' }], await evidenceOf(0.2, to, what)))[0]
  expect(await consistency(0.4)).toMatchObject({ passed: false })
  expect(await consistency(0.6)).toMatchObject({ passed: true })
  const inserted = perturbation('a b', 'a c', { inserted: ['c'] })
  expect(await consistency(0.4, inserted)).toMatchObject({ passed: true, values: { oldWords: null } })
})

test('the reconstruction gate reads decibels', async () => {
  const [original, reconstruction, edited] = [grey(0.5), grey(0.6), grey(0.7)]
  const evidence = await gatherEvidence(
    embedder,
    await sourceEvidence(embedder, original, reconstruction),
    edited,
    changed,
  )
  tf.dispose([original, reconstruction, edited])
  expect(evidence.psnr).toBeCloseTo(20, 3)
  const passed = (
    await judge(
      [
        { gate: 'reconstruction', min: 19.9 },
        { gate: 'reconstruction', min: 20.1 },
      ],
      evidence,
    )
  ).map((v) => v.passed)
  expect(passed).toEqual([true, false])
})

test('a gate may be a function of the evidence', async () => {
  const evidence = await evidenceOf(0.2, 0.6)
  const verdicts = await judge(
    [
      { gate: 'kind', judge: ({ perturbation: { kind } }) => kind === 'finding' },
      { gate: 'margin', judge: async ({ targetText }) => targetText! - 0.99 },
    ],
    evidence,
  )
  expect(verdicts).toEqual([
    { gate: 'kind', passed: true, values: {} },
    { gate: 'margin', passed: false, values: { value: expect.closeTo(evidence.targetText! - 0.99) } },
  ])
})

test('an embedder that answers the wrong number of rows, or NaN, is told so', async () => {
  const picture = grey(0.5)
  const one = { ...embedder, embedImages: () => tf.zeros([2, 3]) as tf.Tensor2D }
  await expect(sourceEvidence(one, picture, picture)).rejects.toThrow(/\[1, width\]; got \[2, 3\]/)
  const nan = { ...embedder, embedImages: () => tf.fill([1, 3], Number.NaN) as tf.Tensor2D }
  await expect(sourceEvidence(nan, picture, picture)).rejects.toThrow(/finite embeddings; got 3 values/)
  picture.dispose()
})

test('pass rates count every gate that stopped an edit', () => {
  const edit = (kind: string, a: boolean, b: boolean) => ({
    kind,
    verdicts: [
      { gate: 'a', passed: a },
      { gate: 'b', passed: b },
    ],
  })
  const [x, y] = passRates([
    edit('x', true, true),
    edit('x', false, false),
    edit('y', true, false),
    edit('x', true, true),
  ])
  expect(x).toMatchObject({ kind: 'x', edits: 3, passed: 2, rate: 2 / 3, stoppedBy: { a: 1, b: 1 } })
  // statsmodels: proportion_confint(2, 3, method='wilson')
  expect(x!.interval[0]).toBeCloseTo(0.20766, 4)
  expect(x!.interval[1]).toBeCloseTo(0.938508, 4)
  expect(y).toMatchObject({ kind: 'y', passed: 0, stoppedBy: { a: 0, b: 1 } })
})
