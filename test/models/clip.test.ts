import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/index.js'
import { ArgumentError, CheckpointError, type Tokenizer } from '../../src/core/index.js'
import {
  clip,
  clipConfig,
  clipPixels,
  clipShapes,
  encodeVision,
  loadClip,
  type VisionEncoderParameters,
} from '../../src/models/index.js'
import { type LinearParameters, linear, parameterTree } from '../../src/nn/index.js'
import { temporaryFolder } from '../checkpoint/files.js'
import goldens from '../fixtures/metrics-clip.json' with { type: 'json' }
import { hashInput, hashLevels, hashWeights } from '../support/name-hash.js'

/** Two prompts by number, as the fixture encodes them. */
const tokenizer = (ids: readonly (readonly number[])[]): Tokenizer => ({
  maxLength: 77,
  encode: (prompt) => ({ prompt, ids: ids[Number(prompt)]!, length: 77, truncated: '' }),
  decodeToken: String,
})

async function expectNear(
  found: tf.Tensor,
  wanted: readonly number[],
  tolerance = 1e-4,
  stride = 1,
): Promise<void> {
  const values = await found.data()
  expect(Math.ceil(values.length / stride)).toBe(wanted.length)
  wanted.forEach((value, i) => expect(Math.abs(values[i * stride]! - value), `${i}`).toBeLessThan(tolerance))
  found.dispose()
}

describe.each(['quick_gelu', 'gelu'] as const)('CLIPModel of transformers, %s', (act) => {
  const { config: raw, ids, vision, text } = goldens[act]
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
    await expectNear(found, vision.flat())
    tf.dispose([...weights.values()])
  })

  test('texts, pooled at the first end token, and projected', async () => {
    const model = clip({ config, weights: hashWeights(clipShapes(config)), tokenizer: tokenizer(ids) })
    await expectNear(model.embedTexts(['0', '1']), text.flat())
    model.dispose()
    model.dispose()
  })
})

// The folder is as transformers' save_pretrained writes it: every number here went through real files.
const folder = join(import.meta.dirname, '../fixtures/clip')

describe.each(['pillow', 'torchvision'] as const)(
  "pictures that transformers' %s processor resizes",
  (resize) => {
    test.each(goldens.folder.resized.map((golden) => [golden.shape.join(' × '), golden] as const))(
      '%s',
      async (_, golden) => {
        using model = await loadClip(folder, { resize })
        const [, , height, width] = golden.shape
        const x = hashLevels(`clip.${height}x${width}`, golden.shape)
        const pixels = tf.tidy(() => tf.transpose(clipPixels(x, 32, resize), [0, 3, 1, 2]))
        // Every pixel is on the reference's own level; what is left is the rounding of the normalisation.
        await expectNear(pixels, golden[resize].pixels, 1e-5, 53)
        await expectNear(model.embedImages(x), golden[resize].embeddings.flat())
        x.dispose()
      },
    )
  },
)

test('enough pixels differ between the two processors to tell them apart', () => {
  const differing = goldens.folder.resized.flatMap(({ pillow, torchvision }) =>
    pillow.embeddings.flat().filter((value, i) => Math.abs(value - torchvision.embeddings.flat()[i]!) > 2e-4),
  )
  expect(differing.length).toBeGreaterThan(10)
})

describe('a folder of transformers', () => {
  test('texts through its tokenizer', async () => {
    using model = await loadClip(folder)
    const { texts, text } = goldens.folder
    await expectNear(model.embedTexts(texts), text.flat())
  })

  /** A copy of the folder, changed. */
  async function broken(change: (copy: string) => Promise<void>): Promise<Promise<unknown>> {
    const copy = await temporaryFolder()
    await cp(folder, copy, { recursive: true })
    await change(copy)
    const loading = loadClip(copy)
    loading.catch(() => undefined)
    return loading
  }
  const weights = 'model.safetensors'
  const rewritten = (
    change: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void,
  ) =>
    broken(async (copy) => {
      const file = await decodeSafetensors(await readFile(join(copy, weights)))
      const values = new Map<string, { shape: readonly number[]; data: Float32Array }>()
      for (const [name, { shape }] of file.entries)
        values.set(name, { shape, data: (await file.read(name)) as Float32Array })
      change(values)
      await writeFile(join(copy, weights), await encodeSafetensors(values))
    })

  test.each([
    [
      'a missing tensor',
      /text_projection\.weight/,
      () => rewritten((t) => t.delete('text_projection.weight')),
    ],
    [
      'a tensor of another shape',
      /visual_projection\.weight/,
      () =>
        rewritten((t) => t.set('visual_projection.weight', { shape: [12, 4], data: new Float32Array(48) })),
    ],
    ['no weights', /safetensors/, () => broken((copy) => rm(join(copy, weights)))],
    ['no config', /config\.json/, () => broken((copy) => rm(join(copy, 'config.json')))],
    ['no tokenizer', /tokenizer|vocab/, () => broken((copy) => rm(join(copy, 'tokenizer.json')))],
    ['a cut file', /safetensors/, () => broken((copy) => writeFile(join(copy, weights), 'not tensors'))],
    [
      'a contradictory config',
      /attention heads/,
      () =>
        broken((copy) =>
          writeFile(
            join(copy, 'config.json'),
            '{"vision_config":{"hidden_size":20,"num_attention_heads":3}}',
          ),
        ),
    ],
  ])('%s is named', async (_, message, load) => {
    const loading = load()
    await expect(loading).rejects.toThrow(message)
    await expect(loading).rejects.toThrow(CheckpointError)
  })

  test('another resize, another shape, an abort', async () => {
    await expect(loadClip(folder, { resize: 'bicubic' as 'pillow' })).rejects.toThrow(ArgumentError)
    const grey = tf.zeros<tf.Rank.R4>([1, 40, 40, 1])
    expect(() => clipPixels(grey, 32)).toThrow(/images/)
    grey.dispose()
    await expect(loadClip(folder, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
  })
})
