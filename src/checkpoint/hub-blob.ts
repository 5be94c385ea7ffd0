import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AbortError, CheckpointError } from '../core/index.js'
import type { HubFile } from './hub-api.js'
import { type HubAccess, hubFailure, hubGet } from './hub-request.js'

// A broken transfer is taken up again this often before the caller hears of it.
const attempts = 4

/**
 * Downloads one file to its place in the cache: resumes what an earlier call left in `<target>.incomplete`,
 * checks size and hash, and only then gives the file its name.
 *
 * @param path - of the content on the Hub, below the endpoint
 * @param file - size and hash that it must have
 * @param target - final path
 * @param access - address, token, signal
 * @param onBytes - called with the bytes present so far
 * @throws CheckpointError when the Hub fails for good or the content is not what was announced
 * @throws AbortError when the signal is aborted; the part that arrived is kept
 */
export async function downloadBlob(
  path: string,
  file: HubFile,
  target: string,
  access: HubAccess,
  onBytes: (present: number) => void,
): Promise<void> {
  const partial = `${target}.incomplete`
  await mkdir(dirname(target), { recursive: true })
  let present = await sizeOf(partial)
  for (let attempt = 1; present !== file.size; attempt++) {
    try {
      await fetchRest(path, file, partial, present, access, onBytes)
    } catch (error) {
      if (error instanceof AbortError || attempt === attempts || !isBrokenTransfer(error)) throw error
    }
    present = await sizeOf(partial)
    if (present !== file.size && attempt === attempts) throw cutShort(file, present)
  }
  // An empty file needs no transfer, and so has no partial file yet.
  if (file.size === 0) await (await open(partial, 'w')).close()
  const hash = await contentHash(partial, file)
  if (hash !== file.hash) {
    await rm(partial, { force: true })
    throw wrongContent(file, hash)
  }
  await rename(partial, target)
}

async function fetchRest(
  path: string,
  file: HubFile,
  partial: string,
  present: number,
  access: HubAccess,
  onBytes: (present: number) => void,
): Promise<void> {
  // More than there should be: not a part of this file.
  const begin = present > file.size ? 0 : present
  const response = await hubGet(path, access, begin)
  if (response.status === 416) {
    await response.body?.cancel()
    await rm(partial, { force: true })
    return
  }
  // A server without ranges answers 200 and starts again from the first byte.
  const resumes = begin > 0 && response.status === 206
  const handle = await open(partial, resumes ? 'a' : 'w')
  let written = resumes ? begin : 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      await handle.appendFile(chunk)
      written += chunk.length
      if (written > file.size) throw wrongSize(file, written)
      onBytes(written)
    }
  } catch (cause) {
    if (cause instanceof CheckpointError) {
      await rm(partial, { force: true })
      throw cause
    }
    throw hubFailure(path, access.signal, cause)
  } finally {
    await handle.close()
  }
}

function isBrokenTransfer(error: unknown): boolean {
  return error instanceof CheckpointError && error.cause !== undefined
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

async function contentHash(path: string, { hash, size }: HubFile): Promise<string> {
  const isSha256 = hash.length === 64
  const digest = createHash(isSha256 ? 'sha256' : 'sha1')
  // git hashes a blob with its type and length before it.
  if (!isSha256) digest.update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path)) digest.update(chunk as Uint8Array)
  return digest.digest('hex')
}

function wrongContent(file: HubFile, hash: string): CheckpointError {
  return new CheckpointError({
    rule: `${file.path} must have the hash ${file.hash} that the Hub announced`,
    got: hash,
    mend: 'The bad file was removed; call again to download it anew.',
  })
}

function wrongSize(file: HubFile, size: number): CheckpointError {
  return new CheckpointError({
    rule: `${file.path} must have the ${file.size} bytes that the Hub announced`,
    got: `${size} bytes and more`,
    mend: 'The bad file was removed; call again to download it anew.',
  })
}

function cutShort(file: HubFile, present: number): CheckpointError {
  return new CheckpointError({
    rule: `${file.path} must have the ${file.size} bytes that the Hub announced`,
    got: `${present} after ${attempts} attempts`,
    mend: 'What arrived is kept in a file named .incomplete; call again to resume.',
  })
}
