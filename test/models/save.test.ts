import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadStableDiffusion, saveStableDiffusion } from '../../src/models/index.js'

const source = fileURLToPath(new URL('../fixtures/folders/sd1-published', import.meta.url))
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'))
const tokenizer = {
  vocab: readJson(source, 'tokenizer', 'vocab.json'),
  merges: readFileSync(join(source, 'tokenizer', 'merges.txt'), 'utf8'),
  specialTokensMap: readJson(source, 'tokenizer', 'special_tokens_map.json'),
  tokenizerConfig: readJson(source, 'tokenizer', 'tokenizer_config.json'),
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'contrafact-save-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a saved folder loads with the same weights, configs and tokens', async () => {
  using sd = await loadStableDiffusion(source)
  await saveStableDiffusion(folder, sd, { tokenizer })
  using again = await loadStableDiffusion(folder)
  for (const part of ['unet', 'vae', 'text'] as const) {
    expect([...again.weights[part].keys()].sort()).toEqual([...sd.weights[part].keys()].sort())
    for (const [name, tensor] of sd.weights[part])
      expect(await again.weights[part].get(name)!.data(), name).toEqual(await tensor.data())
    expect(again.configs[part]).toEqual(sd.configs[part])
  }
  const prompt = 'Chest X-ray with no cardiomegaly'
  expect(again.tokenizer.encode(prompt)).toEqual(sd.tokenizer.encode(prompt))
})

test('halves are within half precision of the weights', async () => {
  using sd = await loadStableDiffusion(source)
  await saveStableDiffusion(folder, sd, { tokenizer, dtype: 'f16' })
  using half = await loadStableDiffusion(folder)
  for (const [name, tensor] of sd.weights.unet) {
    const [whole, rounded] = [await tensor.data(), await half.weights.unet.get(name)!.data()]
    whole.forEach((value, i) => {
      expect(Math.abs(rounded[i]! - value)).toBeLessThanOrEqual(Math.abs(value) / 2048 + 2 ** -24)
    })
  }
})

test('floats of the text encoder’s config stay floats: transformers refuses 1 where it wants 1.0', async () => {
  using sd = await loadStableDiffusion(source)
  await saveStableDiffusion(folder, sd, { tokenizer })
  const config = readFileSync(join(folder, 'text_encoder', 'config.json'), 'utf8')
  expect(config).toMatch(/"initializer_factor": 1\.0,/)
  expect(config).toMatch(/"attention_dropout": 0\.0,/)
  expect(JSON.parse(config)).toEqual(sd.configs.text.raw)
})
