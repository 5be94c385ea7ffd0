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
   * @param room - where to read to, from {@link readingRoom}; an array of its own by default
   * @throws CheckpointError for an unknown name, or a type that only other programs understand
   */
  readonly read: (name: string, room?: ReadingRoom) => Promise<TensorValues>
  /** Where a tensor lies on disk; `undefined` for an unknown name, and in memory. */
  readonly place: (name: string) => TensorPlace | undefined
  /** Closes the file; reading afterwards fails. */
  readonly close: () => Promise<void>
}

/** From a byte of a file on. */
export interface TensorPlace {
  /** Of the file. */
  readonly path: string
  /** The tensor's first byte. */
  readonly begin: number
}

/** Memory for one tensor after another: what was read before is overwritten. */
export type ReadingRoom = (bytes: number) => Uint8Array<ArrayBuffer>

/**
 * Room for tensors up to a size, one after the other: fresh memory for each takes three times as long as reading it.
 *
 * @param largest - in bytes, half floats counted as the float32 that they become
 */
export function readingRoom(largest: number): ReadingRoom {
  const buffer = new ArrayBuffer(largest + beforeAligned)
  return (bytes) => new Uint8Array(buffer, beforeAligned, bytes)
}

// TensorFlow computes with an array where it lies if it starts at a multiple of 64 bytes, and copies it otherwise; large
// blocks of the usual allocator start 16 bytes beyond one.
const beforeAligned = 48

const freshRoom: ReadingRoom = (bytes) => new Uint8Array(bytes)

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
    const { path } = source
    return {
      name: source.name,
      entries,
      metadata,
      read: (name, room = freshRoom) => readTensor(source, name, entries.get(name), room),
      place: (name) => {
        const entry = entries.get(name)
        return entry && path !== undefined ? { path, begin: entry.begin } : undefined
      },
      close: source.close,
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

async function readBytes(
  source: ByteSource,
  begin: number,
  length: number,
  room = freshRoom,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = room(length)
  await source.fill(bytes, begin)
  return bytes
}

// The bytes are read to a place of their own: tensors of old files start at odd addresses, where a typed array cannot.
async function readTensor(
  source: ByteSource,
  name: string,
  entry: SafetensorsEntry | undefined,
  room: ReadingRoom,
): Promise<TensorValues> {
  if (!entry)
    throw new CheckpointError({
      rule: `A tensor that is read must be in ${source.name}`,
      got: JSON.stringify(name),
      mend: 'The names in the file are the keys of `entries`.',
    })
  const as = async <T>(Values: ViewOf<T>): Promise<T> => {
    const bytes = await readBytes(source, entry.begin, entry.end - entry.begin, room)
    return new Values(bytes.buffer, bytes.byteOffset, bytes.length / Values.BYTES_PER_ELEMENT)
  }
  switch (entry.dtype) {
    case 'F32':
      return as(Float32Array)
    case 'F64':
      return as(Float64Array)
    case 'I64':
      return as(BigInt64Array)
    case 'F16':
      return readHalves(source, entry, room, decodeFloat16)
    case 'BF16':
      return readHalves(source, entry, room, decodeBfloat16)
    default:
      throw new CheckpointError({
        rule: 'Tensors of F32, F16, BF16, F64 and I64 can be read',
        got: `${JSON.stringify(name)} of ${entry.dtype} in ${source.name}`,
        mend: 'Convert the file to float16 or float32 with the tool that wrote it.',
      })
  }
}

interface ViewOf<T> {
  new (buffer: ArrayBuffer, offset: number, length: number): T
  readonly BYTES_PER_ELEMENT: number
}

// Decoded slice by slice, so that a large tensor is never held in both precisions; the next one is read meanwhile.
const sliceLength = 2 ** 19

async function readHalves(
  source: ByteSource,
  entry: SafetensorsEntry,
  room: ReadingRoom,
  decode: (bits: Uint16Array, target: Float32Array) => void,
): Promise<Float32Array> {
  const length = (entry.end - entry.begin) / 2
  const { buffer, byteOffset } = room(length * 4)
  const values = new Float32Array(buffer, byteOffset, length)
  const slices = [0, 1].map(() => new Uint16Array(Math.min(length, sliceLength)))
  const read = async (done: number) => {
    const bits = slices[(done / sliceLength) % 2]!.subarray(0, Math.min(sliceLength, length - done))
    await source.fill(new Uint8Array(bits.buffer, 0, bits.byteLength), entry.begin + done * 2)
    return bits
  }
  let next = read(0)
  for (let done = 0; done < length; done += sliceLength) {
    const bits = await next
    if (done + sliceLength < length) next = read(done + sliceLength)
    next.catch(() => {}) // thrown when it is awaited
    decode(bits, values.subarray(done, done + bits.length))
  }
  return values
}
