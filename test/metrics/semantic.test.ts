import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import {
  clipScore,
  directionalSimilarity,
  imageSimilarity,
  structureDistance,
  textSimilarity,
} from '../../src/metrics/index.js'
import goldens from '../fixtures/metrics-structure.json' with { type: 'json' }

// Texts are vectors written out, pictures are their mean colours: every cosine can be done by hand.
const embedder = {
  embedImages: (x: tf.Tensor4D) => tf.tidy(() => tf.mean(x, [1, 2]) as tf.Tensor2D),
  embedTexts: (texts: readonly string[]) => tf.tensor2d(texts.map((text) => text.split(' ').map(Number))),
}
const colours = (...rows: [number, number, number][]) =>
  tf.tidy(() => tf.tile(tf.reshape(tf.tensor2d(rows), [rows.length, 1, 1, 3]) as tf.Tensor4D, [1, 2, 2, 1]))

test('CLIP score: where the dialects clip', async () => {
  const images = colours([1, 0, 0], [0, 1, 0])
  const texts = ['1 0 0', '0 -1 0']
  const torchmetrics = await clipScore(embedder, images, texts)
  expect(torchmetrics.perImage).toEqual([100, -100])
  expect(torchmetrics.value).toBe(0)
  const hessel = await clipScore(embedder, images, texts, { dialect: 'hessel2021' })
  expect(hessel.perImage).toEqual([2.5, 0])
  expect(hessel.value).toBe(1.25)
  await expect(clipScore(embedder, images, ['1 0 0'])).rejects.toThrow(/equally many/)
  images.dispose()
})

test('directional similarity: NaN and a warning where nothing moved', async () => {
  const originals = colours([1, 0, 0], [1, 0, 0], [1, 0, 0])
  const edited = colours([0, 1, 0], [1, 0, 0], [0, 1, 0])
  const { value, perImage, warnings } = await directionalSimilarity(embedder, {
    originals,
    edited,
    sourceTexts: ['1 0 0', '1 0 0', '1 0 0'],
    targetTexts: ['0 1 0', '0 1 0', '1 0 0'],
  })
  expect(perImage![0]).toBeCloseTo(1, 6)
  expect(perImage!.slice(1)).toEqual([Number.NaN, Number.NaN])
  expect(value).toBeCloseTo(1, 6)
  expect(warnings).toEqual([expect.stringMatching(/2 of 3 undefined/)])
  tf.dispose([originals, edited])
})

test('image-image and text-text', async () => {
  const [a, b] = [colours([1, 0, 0]), colours([1, 1, 0])]
  expect((await imageSimilarity(embedder, a, b)).value).toBeCloseTo(Math.SQRT1_2, 6)
  expect((await textSimilarity(embedder, ['1 0'], ['1 1'])).value).toBeCloseTo(Math.SQRT1_2, 6)
  await expect(textSimilarity(embedder, [], [])).rejects.toThrow(/at least one/)
  tf.dispose([a, b])
})

test('structure distance of the keys of a ViT, as Splicing ViT computes it', async () => {
  const [edited, originals] = [tf.zeros<tf.Rank.R4>([3, 2, 2, 3]), tf.ones<tf.Rank.R4>([3, 2, 2, 3])]
  const keys = (x: tf.Tensor4D) => tf.tensor3d(x === edited ? goldens.edited : goldens.originals)
  const { value, perImage, dialect } = await structureDistance(keys, { features: 'vit/keys-1' })(
    edited,
    originals,
  )
  perImage!.forEach((each, i) =>
    expect(Math.abs(each - goldens.distances[i]!) / goldens.distances[i]!).toBeLessThan(1e-5),
  )
  expect(value).toBeCloseTo(goldens.distances.reduce((a, b) => a + b, 0) / 3, 6)
  expect(dialect).toBe('vit/keys-1')
  tf.dispose([edited, originals])
})
