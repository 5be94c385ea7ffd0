import { CheckpointError } from '../core/index.js'
import { findDuplicateKey } from './duplicate-keys.js'
import { dtypeBits, type SafetensorsDtype } from './safetensors-dtypes.js'

/** Where one tensor lies in a safetensors file. */
export interface SafetensorsEntry {
  /** Element type as stored. */
  readonly dtype: SafetensorsDtype
  /** Row-major shape; `[]` for a scalar. */
  readonly shape: readonly number[]
  /** First byte, counted from the start of the file. */
  readonly begin: number
  /** One past the last byte, counted from the start of the file. */
  readonly end: number
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  /** Every tensor by name, in the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  /** Free text by key, `{ format: 'pt' }` in most files. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Bytes before the header's JSON: its length, little-endian. */
export const lengthBytes = 8

// The format's own limit.
const largestHeader = 100_000_000

/**
 * Length of the header's JSON in bytes, checked before anything is allocated for it.
 *
 * @param start - the first 8 bytes of the file, or more
 * @param fileSize - in bytes
 * @param name - what errors call the file
 * @throws CheckpointError when the file is too small or the length cannot be
 */
export function safetensorsHeaderLength(start: Uint8Array, fileSize: number, name = 'memory'): number {
  const malformed = errorsOf(name)
  if (start.length < lengthBytes || fileSize < lengthBytes)
    throw malformed(
      'starts with 8 bytes',
      `a file of ${Math.min(fileSize, start.length)} bytes (header too small)`,
    )
  const view = new DataView(start.buffer, start.byteOffset, lengthBytes)
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
  if (length > largestHeader)
    throw malformed(
      `has a header of at most ${largestHeader} bytes`,
      `a length of ${length} (header too large)`,
    )
  if (lengthBytes + length > fileSize)
    throw malformed(
      'holds its whole header',
      `a length of ${length} in a file of ${fileSize} bytes (invalid header length)`,
    )
  return length
}

/**
 * Reads and checks the header of a safetensors file: every tensor inside the file, without gap or overlap, of
 * exactly the bytes that its shape and type need.
 *
 * @param bytes - the start of the file, at least the header
 * @param fileSize - size of the whole file in bytes
 * @param name - what errors call the file
 * @throws CheckpointError naming the first rule that is broken, and the tensor
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  fileSize: number,
  name = 'memory',
): SafetensorsHeader {
  const malformed = errorsOf(name)
  const length = safetensorsHeaderLength(bytes, fileSize, name)
  if (bytes.length < lengthBytes + length)
    throw malformed('is parsed from its whole header', `${bytes.length} of ${lengthBytes + length} bytes`)
  const { __metadata__: metadata, ...tensors } = parseObject(
    bytes.subarray(lengthBytes, lengthBytes + length),
    malformed,
  )

  const dataStart = lengthBytes + length
  const entries = Object.entries(tensors).map(
    ([tensor, entry]) => [tensor, parseEntry(tensor, entry, dataStart, malformed)] as const,
  )
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)

  let covered = dataStart
  for (const [tensor, { begin, end }] of entries) {
    if (begin !== covered)
      throw malformed(
        'stores its tensors one after another',
        `tensor ${quote(tensor)} at byte ${begin - dataStart} of the data where ${covered - dataStart} was due (invalid offset)`,
      )
    covered = end
  }
  if (covered !== fileSize)
    throw malformed(
      'ends where its last tensor ends',
      `${fileSize} bytes where the header describes ${covered} (incomplete metadata, file not fully covered)`,
    )
  return { entries: new Map(entries), metadata: parseMetadata(metadata, malformed) }
}

function parseObject(json: Uint8Array, malformed: Malformed): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json)
  } catch (cause) {
    throw malformed('has a UTF-8 header', 'invalid UTF-8 in header', cause)
  }
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed('has a JSON header', `invalid JSON in header (${(cause as Error).message})`, cause)
  }
  if (!isRecord(value))
    throw malformed('has a JSON object as its header', 'invalid JSON in header, not an object')
  const duplicate = findDuplicateKey(text)
  if (duplicate !== null) throw malformed('names each key once', `${quote(duplicate)} twice`)
  return value
}

function parseEntry(name: string, entry: unknown, dataStart: number, malformed: Malformed): SafetensorsEntry {
  const tensor = `tensor ${quote(name)}`
  if (!isRecord(entry)) throw malformed('describes each tensor by an object', `${tensor} as ${quote(entry)}`)
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBits, dtype))
    throw malformed(`has tensors of ${Object.keys(dtypeBits).join(', ')}`, `${tensor} of ${quote(dtype)}`)
  if (!isSizes(shape)) throw malformed('has shapes of whole numbers', `${tensor} of shape ${quote(shape)}`)
  if (!isSizes(offsets) || offsets.length !== 2)
    throw malformed('has data_offsets [begin, end]', `${tensor} at ${quote(offsets)}`)

  const [begin, end] = offsets as [number, number]
  const bits = shape.reduce((product, size) => product * size, dtypeBits[dtype as SafetensorsDtype])
  if (!Number.isSafeInteger(bits))
    throw malformed(
      'has tensors that fit a file',
      `${tensor} of shape ${quote(shape)} (overflow computing buffer size)`,
    )
  if (end - begin !== bits / 8)
    throw malformed(
      'gives each tensor the bytes that its shape needs',
      `${tensor}, ${dtype} ${quote(shape)}, in ${end - begin} bytes (invalid shape, data type, or offset)`,
    )
  return { dtype: dtype as SafetensorsDtype, shape, begin: dataStart + begin, end: dataStart + end }
}

function parseMetadata(metadata: unknown, malformed: Malformed): Readonly<Record<string, string>> {
  if (metadata === undefined || metadata === null) return {}
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw malformed('maps strings to strings in __metadata__', quote(metadata))
  return metadata as Record<string, string>
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}

type Malformed = (rule: string, got: string, cause?: unknown) => CheckpointError

function errorsOf(name: string): Malformed {
  return (rule, got, cause) =>
    new CheckpointError({
      rule: `A safetensors file ${rule}`,
      got: `${got} in ${name}`,
      mend: 'The file is damaged or cut short; download or write it again.',
      cause,
    })
}
