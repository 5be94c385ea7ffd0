import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { downloadModel } from '../../src/checkpoint/index.js'
import { AbortError, type Progress } from '../../src/core/index.js'
import { tinyModel } from './files.js'
import { commit, cutAfter, hubWithModel, once, unet } from './hub-server.js'

// The developer's own settings are none of the tests'.
beforeEach(() => {
  for (const name of ['HF_HUB_OFFLINE', 'HF_TOKEN', 'HF_ENDPOINT']) vi.stubEnv(name, '')
  return () => void vi.unstubAllEnvs()
})

test('a truncated answer is resumed where it broke off', async () => {
  const { hub, files, options } = await hubWithModel()
  once(hub, unet, cutAfter(files[unet] as Uint8Array, 150_000))
  const { path } = await downloadModel('org/tiny', options)
  expect(Buffer.compare(await readFile(join(path, unet)), files[unet] as Uint8Array)).toBe(0)
  const resumed = hub.requests.filter((request) => request.includes('bytes='))
  expect(resumed).toHaveLength(1)
  expect(Number(/bytes=(\d+)-/.exec(resumed[0]!)![1])).toBeGreaterThan(0)
})

test('an aborted download keeps its part under an honest name, and resumes', async () => {
  const { hub, cacheFolder, files, options } = await hubWithModel()
  const content = files[unet] as Uint8Array
  const controller = new AbortController()
  once(hub, unet, (_, response) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, 100_000))
  })
  const onProgress = ({ detail, done }: Progress) => {
    if (detail === unet && done > 50_000) controller.abort()
  }
  const download = downloadModel('org/tiny', { ...options, signal: controller.signal, onProgress })
  await expect(download).rejects.toThrow(AbortError)
  const blobs = await readdir(join(cacheFolder, 'models--org--tiny/blobs'))
  expect(blobs.filter((name) => name.endsWith('.incomplete'))).toHaveLength(1)

  const { path } = await downloadModel('org/tiny', options)
  expect(hub.requests.some((request) => request.includes(`${unet} bytes=`))).toBe(true)
  expect(Buffer.compare(await readFile(join(path, unet)), content)).toBe(0)
  expect(
    (await readdir(join(cacheFolder, 'models--org--tiny/blobs'))).some((name) =>
      name.endsWith('.incomplete'),
    ),
  ).toBe(false)
})

test('a signal that is already aborted stops before the first request', async () => {
  const { hub, options } = await hubWithModel()
  await expect(downloadModel('org/tiny', { ...options, signal: AbortSignal.abort() })).rejects.toThrow(
    AbortError,
  )
  expect(hub.requests).toEqual([])
})

test('a server without ranges starts over, and the file is right', async () => {
  const { hub, files, options } = await hubWithModel()
  const content = files[unet] as Uint8Array
  let tries = 0
  hub.intercept = (request, response) => {
    if (!request.url!.includes(unet)) return false
    if (tries++ === 0) cutAfter(content, 1000)(request, response)
    else response.writeHead(200, { 'content-length': content.length }).end(content)
    return true
  }
  const { path } = await downloadModel('org/tiny', options)
  expect(Buffer.compare(await readFile(join(path, unet)), content)).toBe(0)
})

test.each([
  [
    'the wrong content',
    (content: Uint8Array) => content.map((byte) => byte ^ 1),
    /must have the hash [0-9a-f]{64}/,
  ],
  ['too much content', (content: Uint8Array) => Buffer.concat([content, content]), /must have the \d+ bytes/],
])('%s is refused and removed', async (_, spoil, message) => {
  const { hub, cacheFolder, files, options } = await hubWithModel()
  once(hub, unet, (_request, response) => void response.end(spoil(files[unet] as Uint8Array)))
  await expect(downloadModel('org/tiny', options)).rejects.toThrow(message)
  const blobs = await readdir(join(cacheFolder, 'models--org--tiny/blobs'))
  expect(blobs.some((name) => name.endsWith('.incomplete') || name.length === 64)).toBe(false)
  await expect(downloadModel('org/tiny', options)).resolves.toMatchObject({ commit })
})

test('an answer that is always cut short is given up, its part kept', async () => {
  const { hub, cacheFolder, files, options } = await hubWithModel()
  hub.intercept = (request, response) => {
    if (!request.url!.includes(unet)) return false
    cutAfter(files[unet] as Uint8Array, 1000)(request, response)
    return true
  }
  await expect(downloadModel('org/tiny', options)).rejects.toThrow(/resume/)
  const blobs = await readdir(join(cacheFolder, 'models--org--tiny/blobs'))
  expect(blobs.some((name) => name.endsWith('.incomplete'))).toBe(true)
})

test.each([
  [401, {}, /status 401.*HF_TOKEN/],
  [401, { token: 'bad' }, /token is not valid/],
  [403, {}, /licence/],
  [404, {}, /Check the id and the revision/],
  [429, {}, /resume/],
  [500, {}, /status 500/],
])('status %i is a typed error with its mend', async (status, more, message) => {
  const { hub, options } = await hubWithModel()
  hub.intercept = (_, response) => {
    response.writeHead(status).end()
    return true
  }
  await expect(downloadModel('org/tiny', { ...options, ...more })).rejects.toThrow(message)
})

test('the token is sent, and an answer that is no listing is refused', async () => {
  const { hub, options } = await hubWithModel()
  const tokens: unknown[] = []
  hub.intercept = (request, response) => {
    tokens.push(request.headers.authorization)
    response.end('<html>')
    return true
  }
  await expect(downloadModel('org/tiny', { ...options, token: 'hf_x' })).rejects.toThrow(
    /form that the Hub documents/,
  )
  expect(tokens).toEqual(['Bearer hf_x'])
})

test('another family is refused before its weights are asked for', async () => {
  const { hub, options } = await hubWithModel(await tinyModel({ _class_name: 'StableDiffusionXLPipeline' }))
  await expect(downloadModel('org/tiny', options)).rejects.toThrow(/org\/tiny: .*Stable Diffusion XL/)
  expect(hub.requests.some((request) => request.endsWith('.safetensors'))).toBe(false)
})

test('a file that would leave the folder is refused', async () => {
  const { options } = await hubWithModel({ '../../escape.txt': 'out' })
  await expect(downloadModel('org/tiny', { ...options, files: ['*escape.txt'] })).rejects.toThrow(
    /inside its folder/,
  )
})
