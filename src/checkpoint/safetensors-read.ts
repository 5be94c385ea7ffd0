import { CheckpointError } from '../core/index.js'
import { refuseForeignFile } from './foreign.js'
import { decodeBfloat16, decodeFloat16 } from './half.js'
import {
  lengthBytes,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsHeaderLength,
} from './safetensors-header.js'
import { type ByteSource, fileSource, memorySource } from './source.js'

/** Values of one stored tensor: F32, F16 and BF16 as float32, F64 and I64 as they are. */
export type TensorValues = Float32Array | Float64Array | BigInt64Array

/** An open safetensors file: the header is read, the tensors are not. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** What errors call it: the path, or `'memory'`. */
  readonly name: string
  /**
   * Reads one tensor from disk, row-major; half floats become float32, exactly.
   *
   * @throws CheckpointError for an unknown name, or a type that only other programs understand
   */
  readonly read: (name: string) => Promise<TensorValues>
  /** Closes the file; reading afterwards fails. */
  readonly close: () => Promise<void>
}

/**
 * Opens a safetensors file and checks its header. Tensors are read one at a time, so a file larger than memory
 * (or than the 2 GiB of one buffer) is no obstacle.
 *
 * @param path - of a `.safetensors` file
 * @returns owned by the caller: `close()` it
 * @throws CheckpointError when the file is missing, malformed, a git-LFS pointer or a pickle
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return openSource(await fileSource(path))
}

/**
 * Opens a safetensors file that is already in memory.
 *
 * @param bytes - borrowed; must not change while it is read
 * @throws CheckpointError when it is malformed
 */
export function decodeSafetensors(bytes: Uint8Array): Promise<SafetensorsFile> {
  return openSource(memorySource(bytes))
}

async function openSource(source: ByteSource): Promise<SafetensorsFile> {
  try {
    const start = await readBytes(source, 0, Math.min(1024, source.size))
    refuseForeignFile(start, source.name)
    const headerEnd = lengthBytes + safetensorsHeaderLength(start, source.size, source.name)
    const header = headerEnd <= start.length ? start : await readBytes(source, 0, headerEnd)
    const { entries, metadata } = parseSafetensorsHeader(header, source.size, source.name)
    return {
      name: source.name,
      entries,
      metadata,
      read: (name) => readTensor(source, name, entries.get(name)),
      close: source.close,
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

async function readBytes(source: ByteSource, begin: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await source.fill(bytes, begin)
  return bytes
}

// The bytes are read into a buffer of their own: tensors of old files start at odd addresses, where a typed array
// cannot.
async function readTensor(
  source: ByteSource,
  name: string,
  entry: SafetensorsEntry | undefined,
): Promise<TensorValues> {
  if (!entry)
    throw new CheckpointError({
      rule: `A tensor that is read must be in ${source.name}`,
      got: JSON.stringify(name),
      mend: 'The names in the file are the keys of `entries`.',
    })
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(
        (await readBytes(source, entry.begin, entry.end - entry.begin)).buffer as ArrayBuffer,
      )
    case 'F64':
      return new Float64Array(
        (await readBytes(source, entry.begin, entry.end - entry.begin)).buffer as ArrayBuffer,
      )
    case 'I64':
      return new BigInt64Array(
        (await readBytes(source, entry.begin, entry.end - entry.begin)).buffer as ArrayBuffer,
      )
    case 'F16':
      return readHalves(source, entry, decodeFloat16)
    case 'BF16':
      return readHalves(source, entry, decodeBfloat16)
    default:
      throw new CheckpointError({
        rule: 'Tensors of F32, F16, BF16, F64 and I64 can be read',
        got: `${JSON.stringify(name)} of ${entry.dtype} in ${source.name}`,
        mend: 'Convert the file to float16 or float32 with the tool that wrote it.',
      })
  }
}

// Decoded in slices, so that a large tensor is never held in both precisions.
const sliceLength = 2 ** 18

async function readHalves(
  source: ByteSource,
  entry: SafetensorsEntry,
  decode: (bits: Uint16Array, target: Float32Array) => void,
): Promise<Float32Array> {
  const length = (entry.end - entry.begin) / 2
  const values = new Float32Array(length)
  const slice = new Uint16Array(Math.min(length, sliceLength))
  for (let done = 0; done < length; done += slice.length) {
    const bits = slice.subarray(0, Math.min(slice.length, length - done))
    await source.fill(new Uint8Array(bits.buffer, 0, bits.byteLength), entry.begin + done * 2)
    decode(bits, values.subarray(done, done + bits.length))
  }
  return values
}
