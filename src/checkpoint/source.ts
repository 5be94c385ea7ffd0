import { open } from 'node:fs/promises'
import { CheckpointError } from '../core/index.js'

/** Bytes at random access: an open file, or memory. */
export interface ByteSource {
  /** What errors call it: a path, or `'memory'`. */
  readonly name: string
  /** Of the file; `undefined` for memory. */
  readonly path: string | undefined
  /** In bytes. */
  readonly size: number
  /** Fills `target` with the bytes from `begin` on, all of them. */
  readonly fill: (target: Uint8Array, begin: number) => Promise<void>
  /** Lets go of the file. */
  readonly close: () => Promise<void>
}

// One read call moves at most this many bytes: Node refuses 2 GiB and more.
const largestRead = 64 * 2 ** 20

/**
 * Opens a file for reads at random access.
 *
 * @throws CheckpointError when the file is missing, is a folder, or may not be read
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new CheckpointError({
      rule: 'A weight file must exist and be readable',
      got: `${path} (${cause.code})`,
      mend: 'Check the path; in a download, check that it was completed.',
      cause,
    })
  })
  const stats = await handle.stat()
  if (!stats.isFile()) {
    await handle.close()
    throw new CheckpointError({
      rule: 'A weight file must be a file',
      got: `${path}, which is not`,
      mend: 'Pass the path of one .safetensors file; folders are read by openWeights.',
    })
  }
  return {
    name: path,
    path,
    size: stats.size,
    fill: async (target, begin) => {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(target.length - done, largestRead)
        const { bytesRead } = await handle.read(target, done, length, begin + done)
        if (bytesRead === 0) throw cutShort(path, begin + target.length, begin + done)
        done += bytesRead
      }
    },
    close: () => handle.close(),
  }
}

/** Bytes in memory as a source; borrowed, not copied. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    name: 'memory',
    path: undefined,
    size: bytes.length,
    fill: async (target, begin) => {
      if (begin + target.length > bytes.length) throw cutShort('memory', begin + target.length, bytes.length)
      target.set(bytes.subarray(begin, begin + target.length))
    },
    close: async () => {},
  }
}

function cutShort(name: string, expected: number, found: number): CheckpointError {
  return new CheckpointError({
    rule: `${name} must keep its size while it is read`,
    got: `${found} bytes where ${expected} were due`,
    mend: 'Another program is changing the file; read it again when it is done.',
  })
}
