import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import type { Tokenizer } from '../../src/core/index.js'
import {
  clip,
  clipConfig,
  clipPixels,
  clipShapes,
  encodeVision,
  type VisionEncoderParameters,
} from '../../src/models/index.js'
import { type LinearParameters, linear, parameterTree } from '../../src/nn/index.js'
import goldens from '../fixtures/metrics-clip.json' with { type: 'json' }
import { hashInput, hashUniform, hashWeights } from '../support/name-hash.js'

/** Two prompts by number, as the fixture encodes them. */
const tokenizer = (ids: readonly (readonly number[])[]): Tokenizer => ({
  maxLength: 77,
  encode: (prompt) => ({ prompt, ids: ids[Number(prompt)]!, length: 77, truncated: '' }),
  decodeToken: String,
})
const images = () =>
  tf.tidy(() => {
    const levels = Float32Array.from(
      hashUniform('clip.image', 2 * 3 * 40 * 51),
      (u) => Math.floor((u + 1) * 127.99) / 255,
    )
    return tf.transpose(tf.tensor4d(levels, [2, 3, 40, 51]), [0, 2, 3, 1])
  })

async function expectNear(found: tf.Tensor, wanted: readonly number[], tolerance: number): Promise<void> {
  const values = await found.data()
  expect(values).toHaveLength(wanted.length)
  wanted.forEach((value, i) => expect(Math.abs(values[i]! - value), `${i}`).toBeLessThan(tolerance))
  found.dispose()
}

describe.each(['quick_gelu', 'gelu'] as const)('CLIPModel of transformers, %s', (act) => {
  const { config: raw, ids, vision, text, resized, pixels } = goldens[act]
  const config = clipConfig(raw)

  test('the vision tower and its projection', async () => {
    const weights = hashWeights(clipShapes(config))
    const tree = parameterTree<{
      vision_model: VisionEncoderParameters
      visual_projection: LinearParameters
    }>(weights)
    const found = tf.tidy(() => {
      const x = hashInput<tf.Rank.R4>('clip.pixels', [2, 3, 32, 32], 1)
      return linear(tree.visual_projection, encodeVision(tree.vision_model, config.vision, x))
    })
    await expectNear(found, vision.flat(), 1e-4)
    tf.dispose([...weights.values()])
  })

  test('texts, pooled at the first end token, and projected', async () => {
    const model = clip({ config, weights: hashWeights(clipShapes(config)), tokenizer: tokenizer(ids) })
    await expectNear(model.embedTexts(['0', '1']), text.flat(), 1e-4)
    model.dispose()
    model.dispose()
  })

  test('pictures of another size, resized as PIL does but for its rounding to 8 bits', async () => {
    const model = clip({ config, weights: hashWeights(clipShapes(config)), tokenizer: tokenizer(ids) })
    const x = images()
    const found = tf.tidy(() => tf.transpose(clipPixels(x, 32), [0, 3, 1, 2]))
    const values = await found.data()
    // PIL rounds after each of two passes: at most one level of 255, over the smallest deviation.
    pixels.forEach((value, i) => expect(Math.abs(values[97 * i]! - value)).toBeLessThan(1.2 / 255 / 0.26))
    await expectNear(model.embedImages(x), resized.flat(), 0.05)
    tf.dispose([x, found])
    model.dispose()
  })
})
