import { expect, test } from 'vitest'
import { openWeights } from '../../src/checkpoint/index.js'
import { CheckpointError } from '../../src/core/index.js'
import { countingSafetensors, temporaryFolder } from './files.js'

const stem = 'unet/diffusion_pytorch_model'

async function unetFolder(names: readonly string[]): Promise<string> {
  // Each file tells itself apart by the name of its only tensor.
  const files = names.map(async (name) => [name, await countingSafetensors({ [name]: [2] })] as const)
  return temporaryFolder(Object.fromEntries(await Promise.all(files)))
}

test.each<
  [string, string[], string | undefined, { names: string[]; variant: string | null; fellBack: boolean }]
>([
  [
    'the plain file',
    [`${stem}.safetensors`],
    undefined,
    { names: [`${stem}.safetensors`], variant: null, fellBack: false },
  ],
  [
    'the plain file beside other variants',
    [
      `${stem}.ema.safetensors`,
      `${stem}.fp16.safetensors`,
      `${stem}.non_ema.safetensors`,
      `${stem}.safetensors`,
    ],
    undefined,
    { names: [`${stem}.safetensors`], variant: null, fellBack: false },
  ],
  [
    'the variant that was asked for',
    [`${stem}.fp16.safetensors`, `${stem}.safetensors`],
    'fp16',
    { names: [`${stem}.fp16.safetensors`], variant: 'fp16', fellBack: false },
  ],
  [
    'the plain file for a variant that is not there',
    [`${stem}.non_ema.safetensors`, `${stem}.safetensors`],
    'fp16',
    { names: [`${stem}.safetensors`], variant: null, fellBack: true },
  ],
  [
    "transformers' file",
    ['unet/model.safetensors', 'unet/config.json'],
    undefined,
    { names: ['unet/model.safetensors'], variant: null, fellBack: false },
  ],
])('opens %s', async (_, names, variant, expected) => {
  const weights = await openWeights(await unetFolder(names), 'unet', { variant })
  expect({ names: weights.names, variant: weights.variant, fellBack: weights.fellBack }).toEqual(expected)
  expect(weights.shape(weights.names[0]!)).toEqual([2])
  expect(weights.dtype(weights.names[0]!)).toBe('F32')
  expect(weights.shape('other')).toBeUndefined()
  expect(await weights.read(weights.names[0]!)).toEqual(Float32Array.of(0, 1))
  await expect(weights.read('other')).rejects.toThrow(CheckpointError)
  await weights.close()
  await weights.close()
})

test.each([
  [[`${stem}.fp16.safetensors`], undefined, /ask for it with \{ variant: 'fp16' \}/],
  [[`${stem}.non_ema.safetensors`], 'fp16', /variant 'non_ema' only/],
  [
    [`${stem}.bin`, 'unet/config.json'],
    undefined,
    /diffusion_pytorch_model\.bin, a Python pickle.*python -c/,
  ],
  [
    ['unet/config.json'],
    undefined,
    /diffusion_pytorch_model\.safetensors or .*model\.safetensors; got config\.json/,
  ],
  [['vae/config.json'], undefined, /got nothing/],
])('no weights: %o is an error that lists them', async (names, variant, message) => {
  await expect(openWeights(await unetFolder(names), 'unet', { variant })).rejects.toThrow(message)
})

async function shardedFolder(
  index: string,
  shards: readonly [string, string],
  map?: Readonly<Record<string, string>>,
) {
  const [first, second] = shards
  const weightMap = map ?? { a: first, b: first, c: second }
  return temporaryFolder({
    [`unet/${index}`]: JSON.stringify({ metadata: { total_size: 24 }, weight_map: weightMap }),
    [`unet/${first}`]: await countingSafetensors({ a: [2], b: [2] }),
    [`unet/${second}`]: await countingSafetensors({ c: [2], stray: [2] }),
    'unet/diffusion_pytorch_model.safetensors': await countingSafetensors({ single: [1] }),
  })
}

test.each([
  [
    undefined,
    'diffusion_pytorch_model.safetensors.index.json',
    'diffusion_pytorch_model-0000#-of-00002.safetensors',
  ],
  [
    'fp16',
    'diffusion_pytorch_model.safetensors.index.fp16.json',
    'diffusion_pytorch_model.fp16-0000#-of-00002.safetensors',
  ],
  [
    'fp16',
    'diffusion_pytorch_model.safetensors.fp16.index.json',
    'diffusion_pytorch_model-0000#-of-00002.fp16.safetensors',
  ],
])('shards are read through their index, before a single file: %s %s', async (variant, index, shard) => {
  const folder = await shardedFolder(index, [shard.replace('#', '1'), shard.replace('#', '2')])
  const weights = await openWeights(folder, 'unet', { variant })
  expect(weights.names).toEqual(['a', 'b', 'c'])
  expect(weights.fellBack).toBe(false)
  expect(await weights.read('c')).toEqual(Float32Array.of(0, 1))
  await weights.close()
})

test.each<[string, Record<string, string> | undefined, RegExp]>([
  [
    'a tensor that its shard lacks',
    { a: 's1.safetensors', z: 's2.safetensors' },
    /1 tensors missing, first z in s2/,
  ],
  ['a shard that is not there', { a: 's3.safetensors' }, /s3\.safetensors \(ENOENT\)/],
  ['a shard above the folder', { a: '../s1.safetensors' }, /inside its folder.*"\.\.\/s1/],
  ['a shard at an absolute path', { a: '/etc/passwd' }, /inside its folder/],
  ['a shard behind a backslash', { a: '..\\s1.safetensors' }, /inside its folder/],
  ['a shard on another drive', { a: 'C:s1.safetensors' }, /inside its folder/],
  ['no tensors', {}, /weight_map/],
  ['a shard that is no text', { a: 1 as unknown as string }, /weight_map/],
])('an index with %s is refused', async (_, map, message) => {
  const folder = await shardedFolder(
    'diffusion_pytorch_model.safetensors.index.json',
    ['s1.safetensors', 's2.safetensors'],
    map,
  )
  await expect(openWeights(folder, 'unet')).rejects.toThrow(message)
  await expect(openWeights(folder, 'unet')).rejects.toThrow(CheckpointError)
})
