import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { countingSafetensors, temporaryFolder, tinyModel } from './files.js'

export const unet = 'unet/diffusion_pytorch_model.safetensors'

export const commit = '0123456789abcdef0123456789abcdef01234567'

/** A Hub of one model on the loopback address, which can be told to misbehave. */
export interface FakeHub {
  readonly endpoint: string
  /** Every request so far: path, and range where one was asked for. */
  readonly requests: string[]
  /** Answers a request instead of the Hub when it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  close(): Promise<void>
}

export async function fakeHub(
  files: Readonly<Record<string, string | Uint8Array>>,
  id = 'org/tiny',
): Promise<FakeHub> {
  const contents = new Map(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content as Uint8Array)]),
  )
  const listing = JSON.stringify({ id, sha: commit, siblings: [...contents].map(sibling) })
  const hub = { requests: [] as string[], intercept: (() => false) as FakeHub['intercept'] }

  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!)
    hub.requests.push(request.headers.range ? `${path} ${request.headers.range}` : path)
    if (hub.intercept(request, response)) return
    if (path === `/api/models/${id}/revision/main?blobs=true`) response.end(listing)
    else serve(contents.get(path.replace(`/${id}/resolve/${commit}/`, '')), request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  const { port } = server.address() as AddressInfo
  return Object.assign(hub, { endpoint: `http://127.0.0.1:${port}`, close })
}

/** As the Hub lists a file: large ones by SHA-256, small ones by git's hash. */
function sibling([rfilename, content]: [string, Buffer]): object {
  const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const lfs = rfilename.endsWith('.safetensors')
    ? { lfs: { sha256, size: content.length, pointerSize: 130 } }
    : {}
  return { rfilename, size: content.length, blobId, ...lfs }
}

function serve(content: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!content) {
    response.writeHead(404).end()
    return
  }
  const begin = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (begin > 0 && begin >= content.length) response.writeHead(416).end()
  else if (begin > 0)
    response
      .writeHead(206, { 'content-range': `bytes ${begin}-${content.length - 1}/${content.length}` })
      .end(content.subarray(begin))
  else response.writeHead(200, { 'content-length': content.length }).end(content)
}

/** A fake Hub with a tiny model, and an empty cache. */
export async function hubWithModel(extra: Readonly<Record<string, string | Uint8Array>> = {}) {
  const files: Record<string, string | Uint8Array> = {
    ...(await tinyModel()),
    [unet]: await countingSafetensors({ 'conv_in.weight': [100_000] }),
    ...extra,
  }
  const hub = await fakeHub(files)
  const cacheFolder = await temporaryFolder()
  return { hub, files, cacheFolder, options: { endpoint: hub.endpoint, cacheFolder } }
}

/** Answers the first request for a path in another way. */
export function once(
  hub: FakeHub,
  path: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  let due = true
  hub.intercept = (request, response) => {
    if (!due || !request.url!.includes(path)) return false
    due = false
    answer(request, response)
    return true
  }
}

/** Announces all of the content, sends its start, and hangs up. */
export const cutAfter =
  (content: Uint8Array, bytes: number) => (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20))
  }
