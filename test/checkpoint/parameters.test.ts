import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  type ComponentWeights,
  loadParameters,
  openWeights,
  type Parameter,
} from '../../src/checkpoint/index.js'
import { CheckpointError } from '../../src/core/index.js'
import { countingSafetensors, temporaryFolder } from './files.js'

async function withWeights<T>(
  shapes: Readonly<Record<string, readonly number[]>>,
  use: (weights: ComponentWeights) => Promise<T>,
): Promise<T> {
  const folder = await temporaryFolder({ 'vae/model.safetensors': await countingSafetensors(shapes) })
  const weights = await openWeights(folder, 'vae')
  try {
    return await use(weights)
  } finally {
    await weights.close()
  }
}

async function collect(parameters: AsyncIterable<Parameter>): Promise<Parameter[]> {
  const all: Parameter[] = []
  for await (const parameter of parameters) all.push(parameter)
  return all
}

test('parameters come one at a time, in the order of the file, under the names and shapes of the model', () =>
  withWeights(
    { a: [2, 3], b: [2], extra: [1], 'text_model.embeddings.position_ids': [1, 77] },
    async (weights) => {
      const loaded = loadParameters(
        weights,
        new Map([
          ['b', [2]],
          ['a', [2, 3]],
        ]),
      )
      expect(loaded.unexpected).toEqual(['extra'])
      expect(await collect(loaded.parameters)).toEqual([
        { name: 'a', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
        { name: 'b', shape: [2], data: Float32Array.of(0, 1) },
      ])
      expect(loadParameters(weights, new Map([['b', [2]]]), { ignore: /^(a|extra)$/ }).unexpected).toEqual([])
    },
  ))

test('everything that does not fit is listed before anything is read', () =>
  withWeights({ a: [2, 3], b: [2], c: [4, 1] }, async (weights) => {
    const expected = new Map([
      ['a', [3, 2]],
      ['b', [2]],
      ['c', [1, 4]],
      ['d', [1]],
      ['e', [1]],
    ])
    expect(() => loadParameters(weights, expected)).toThrow(CheckpointError)
    expect(() => loadParameters(weights, expected)).toThrow(
      /the 5 parameters.*2 missing: d, e; 2 that do not fit: a \[3,2\] is \[2,3\] in the file, c \[1,4\] is \[4,1\]/,
    )
  }))

const attention = 'encoder.mid_block.attentions.0'

test.each<[string, Record<string, number[]>, Record<string, number[]>]>([
  [
    "the autoencoder's old attention names",
    {
      [`${attention}.query.weight`]: [4, 4],
      [`${attention}.key.bias`]: [4],
      [`${attention}.value.bias`]: [4],
      [`${attention}.proj_attn.weight`]: [4, 4],
    },
    {
      [`${attention}.to_q.weight`]: [4, 4],
      [`${attention}.to_k.bias`]: [4],
      [`${attention}.to_v.bias`]: [4],
      [`${attention}.to_out.0.weight`]: [4, 4],
    },
  ],
  [
    'matrices stored as 1x1 convolutions, under old names',
    { [`${attention}.query.weight`]: [4, 4, 1, 1] },
    { [`${attention}.to_q.weight`]: [4, 4] },
  ],
  ['1x1 convolutions stored as matrices', { 'proj_in.weight': [4, 2] }, { 'proj_in.weight': [4, 2, 1, 1] }],
  [
    'a text encoder without the prefix',
    { 'final_layer_norm.bias': [4] },
    { 'text_model.final_layer_norm.bias': [4] },
  ],
  [
    'a text encoder with the prefix',
    { 'text_model.final_layer_norm.bias': [4] },
    { 'final_layer_norm.bias': [4] },
  ],
])('knows %s', (_, stored, expected) =>
  withWeights(stored, async (weights) => {
    const { parameters, unexpected } = loadParameters(weights, new Map(Object.entries(expected)))
    expect(unexpected).toEqual([])
    const all = await collect(parameters)
    expect(Object.fromEntries(all.map(({ name, shape }) => [name, shape]))).toEqual(expected)
  }),
)

test("the UNet's attention is not renamed", () =>
  withWeights({ 'attentions.0.transformer_blocks.0.attn1.query.weight': [4, 4] }, async (weights) => {
    const expected = new Map([['attentions.0.transformer_blocks.0.attn1.to_q.weight', [4, 4]]])
    expect(() => loadParameters(weights, expected)).toThrow(/1 missing/)
  }))

test('a rename of the caller comes first', () =>
  withWeights({ 'module.a': [2] }, async (weights) => {
    const rename = (name: string) => name.replace('module.', '')
    const { parameters } = loadParameters(weights, new Map([['a', [2]]]), { rename })
    expect((await collect(parameters)).map(({ name }) => name)).toEqual(['a'])
  }))

test('integers are no parameters; doubles and halves are', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'vae'))
  const mixed = fileURLToPath(new URL('../fixtures/safetensors/mixed.safetensors', import.meta.url))
  await copyFile(mixed, join(folder, 'vae/model.safetensors'))
  const weights = await openWeights(folder, 'vae')
  expect(() => loadParameters(weights, new Map([['ids', [1, 77]]]))).toThrow(/ids is of I64/)
  const { parameters } = loadParameters(
    weights,
    new Map([
      ['f64', [12]],
      ['bf16', [2, 6]],
      ['scalar', []],
    ]),
  )
  for (const { data } of await collect(parameters)) expect(data).toBeInstanceOf(Float32Array)
  await weights.close()
})
