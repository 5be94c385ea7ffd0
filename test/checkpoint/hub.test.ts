import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import {
  downloadModel,
  hubCacheFolder,
  openModelFolder,
  openWeights,
  resolveModel,
} from '../../src/checkpoint/index.js'
import type { Progress } from '../../src/core/index.js'
import { temporaryFolder, tinyModel } from './files.js'
import { commit, hubWithModel, unet } from './hub-server.js'

// The developer's own settings are none of the tests'.
beforeEach(() => {
  for (const name of ['HF_HUB_OFFLINE', 'HF_TOKEN', 'HF_ENDPOINT']) vi.stubEnv(name, '')
  return () => void vi.unstubAllEnvs()
})

test('a model is downloaded into the layout that Hugging Face libraries share', async () => {
  const { files, cacheFolder, options } = await hubWithModel({
    'safety_checker/model.safetensors': 'no',
    'unet/diffusion_pytorch_model.bin': 'no',
    'unet/diffusion_pytorch_model.fp16.safetensors': 'no',
    'v1-5-pruned.ckpt': 'no',
    'README.md': 'no',
  })
  const events: Progress[] = []
  const model = await downloadModel('org/tiny', { ...options, onProgress: (event) => events.push(event) })

  const repository = join(cacheFolder, 'models--org--tiny')
  expect(model).toMatchObject({ path: join(repository, 'snapshots', commit), commit, fromCache: false })
  expect([...model.files].sort()).toEqual(Object.keys(await tinyModel()).sort())
  expect(await readFile(join(repository, 'refs/main'), 'utf8')).toBe(commit)
  for (const file of model.files)
    expect(
      Buffer.compare(await readFile(join(model.path, file)), Buffer.from(files[file] as Uint8Array)),
    ).toBe(0)
  expect((await lstat(join(model.path, unet))).isSymbolicLink()).toBe(true)
  expect(
    (await readdir(join(repository, 'blobs'))).every((name) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name)),
  ).toBe(true)

  const total = model.files.reduce((sum, file) => sum + Buffer.from(files[file] as Uint8Array).length, 0)
  expect(events.at(-1)).toMatchObject({ stage: 'download', done: total, total })
  expect(events.every(({ done }, i) => i === 0 || done >= events[i - 1]!.done)).toBe(true)

  await openModelFolder(model.path)
  const weights = await openWeights(model.path, 'unet')
  expect(weights.shape('conv_in.weight')).toEqual([100_000])
  await weights.close()
})

test('what is in the cache is not downloaded again', async () => {
  const { hub, options } = await hubWithModel()
  await downloadModel('org/tiny', options)
  hub.requests.length = 0
  await downloadModel('org/tiny', options)
  expect(hub.requests).toEqual(['/api/models/org/tiny/revision/main?blobs=true'])
})

test('the variant is chosen for each component, shards and all', async () => {
  const { options } = await hubWithModel({
    'unet/diffusion_pytorch_model.safetensors.index.fp16.json': '{}',
    'unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors': '1',
    'unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors': '2',
    'unet/diffusion_pytorch_model-00001-of-00002.safetensors': 'no',
    'vae/diffusion_pytorch_model.fp16.safetensors': 'half',
  })
  const { files } = await downloadModel('org/tiny', { ...options, variant: 'fp16' })
  expect(files.filter((file) => file.includes('model.') && file !== 'model_index.json').sort()).toEqual([
    'text_encoder/model.safetensors',
    'unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors',
    'unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors',
    'unet/diffusion_pytorch_model.safetensors.index.fp16.json',
    'vae/diffusion_pytorch_model.fp16.safetensors',
  ])
})

test('patterns take other files', async () => {
  const { options } = await hubWithModel({ 'lora/a.safetensors': 'a', 'README.md': 'read' })
  const { files } = await downloadModel('org/tiny', { ...options, files: ['lora/*', '*.md'] })
  expect([...files].sort()).toEqual(['README.md', 'lora/a.safetensors'])
  await expect(downloadModel('org/tiny', { ...options, files: ['nothing*'] })).rejects.toThrow(
    /match nothing\*/,
  )
})

test('offline, or when the Hub does not answer, the cache will do', async () => {
  const { hub, options } = await hubWithModel()
  await expect(downloadModel('org/tiny', { ...options, offline: true })).rejects.toThrow(
    /no revision main of org\/tiny/,
  )
  const { path, files } = await downloadModel('org/tiny', options)
  await hub.close()
  const cached = { path, commit, fromCache: true, files: expect.arrayContaining([...files]) }
  await expect(downloadModel('org/tiny', { ...options, offline: true })).resolves.toEqual(cached)
  await expect(downloadModel('org/tiny', options)).resolves.toEqual(cached)
  await expect(downloadModel('org/tiny', { ...options, revision: commit, offline: true })).resolves.toEqual(
    cached,
  )
  await expect(downloadModel('org/other', options)).rejects.toThrow(/Hub to answer.*offline: true/)
  vi.stubEnv('HF_HUB_OFFLINE', '1')
  await expect(downloadModel('org/tiny', { cacheFolder: options.cacheFolder })).resolves.toEqual(cached)
})

test('a cache that holds only some files says which are missing', async () => {
  const { options } = await hubWithModel()
  await downloadModel('org/tiny', { ...options, files: ['model_index.json', 'vae/*'] })
  await expect(downloadModel('org/tiny', { ...options, offline: true })).rejects.toThrow(
    /org\/tiny\/unet holds its weights in/,
  )
})

test('the cache folder follows the variables that Hugging Face documents', () => {
  expect(hubCacheFolder({ HF_HUB_CACHE: '/c', HF_HOME: '/h' })).toBe('/c')
  expect(hubCacheFolder({ HF_HOME: '/h' })).toBe(join('/h', 'hub'))
  expect(hubCacheFolder({ XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'huggingface', 'hub'))
  expect(hubCacheFolder({})).toMatch(/[\\/]\.cache[\\/]huggingface[\\/]hub$/)
})

test('a folder is itself, an id is downloaded, anything else is an error that says both', async () => {
  const { cacheFolder, hub, options } = await hubWithModel()
  await mkdir(join(cacheFolder, 'my/model'), { recursive: true })
  expect(await resolveModel(join(cacheFolder, 'my/model'), options)).toBe(join(cacheFolder, 'my/model'))
  expect(hub.requests).toEqual([])
  expect(await resolveModel('org/tiny', options)).toContain(commit)
  await expect(resolveModel('org/none', options)).rejects.toThrow(
    /no such folder, and as a model of the Hub.*404/,
  )
  for (const neither of ['./model', '/no/such/folder', 'model', 'a/b/c', '../up', 'org/..', ''])
    await expect(resolveModel(neither, options)).rejects.toThrow(/neither/)
})

test('a blob that is already there gets its name, without links where there are none', async () => {
  const { cachedRepository } = await import('../../src/checkpoint/hub-cache.js')
  const folder = await temporaryFolder()
  const repository = cachedRepository(folder, 'org/tiny', async () => {
    throw new Error('EPERM')
  })
  await mkdir(join(folder, 'models--org--tiny/blobs'), { recursive: true })
  await writeFile(repository.blob('abc'), 'content')
  await repository.place(commit, 'unet/config.json', 'abc')
  const placed = join(repository.snapshot(commit), 'unet/config.json')
  expect(await readFile(placed, 'utf8')).toBe('content')
  expect((await lstat(placed)).isSymbolicLink()).toBe(false)
  expect(await repository.files(commit)).toEqual(['unet/config.json'])
})
