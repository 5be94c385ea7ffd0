import { open } from 'node:fs/promises'
import { ArgumentError, writeAtomically } from '../core/index.js'
import { encodeFloat16 } from './half.js'
import { lengthBytes } from './safetensors-header.js'

/** A tensor to write; a `tf.Tensor` is one. */
export interface WritableTensor {
  /** Row-major shape; `[]` for a scalar. */
  readonly shape: readonly number[]
  /** The values, or a method that fetches them when their turn comes. Borrowed. */
  readonly data: Float32Array | (() => Promise<Float32Array | Int32Array | Uint8Array>)
}

/** How tensors are stored. */
export interface WriteSafetensorsOptions {
  /** Element type of every tensor; `'f16'` rounds to nearest, ties to even. Default `'f32'`. */
  readonly dtype?: 'f32' | 'f16'
  /** Free text by key, beside `format: 'pt'`, without which Python's readers refuse a model. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Writes a safetensors file, whole or not at all, one tensor at a time, sorted by name.
 *
 * @param path - of the file; missing folders are made
 * @param tensors - by name, in PyTorch's layout if PyTorch shall read them; borrowed
 * @throws ArgumentError when a tensor's values do not fill its shape, or are finite but too large for `'f16'`
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, 'w')
    try {
      for await (const chunk of safetensorsChunks(tensors, options)) await handle.appendFile(chunk)
    } finally {
      await handle.close()
    }
  })
}

/**
 * The bytes of a safetensors file, in memory.
 *
 * @param tensors - by name; borrowed
 * @throws ArgumentError as {@link writeSafetensors}
 */
export async function encodeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  options: WriteSafetensorsOptions = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of safetensorsChunks(tensors, options)) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

async function* safetensorsChunks(
  tensors: ReadonlyMap<string, WritableTensor>,
  { dtype = 'f32', metadata = {} }: WriteSafetensorsOptions,
): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))
  const shapes = sorted.map(([name, { shape }]) => [name, shape] as const)
  yield encodeHeader(shapes, dtype, { format: 'pt', ...metadata })
  for (const [name, tensor] of sorted) {
    const values = await valuesOf(tensor)
    expectFilled(name, tensor.shape, values)
    if (dtype === 'f16') expectHalfRange(name, values)
    const stored = dtype === 'f16' ? encodeFloat16(values) : values
    yield new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
  }
}

function encodeHeader(
  shapes: readonly (readonly [string, readonly number[]])[],
  dtype: 'f32' | 'f16',
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0
  // Joined by hand: an object would move names that look like numbers to its front.
  const entries = shapes.map(([name, shape]) => {
    if (name === '__metadata__')
      throw new ArgumentError({
        rule: 'writeSafetensors keeps the name __metadata__ for metadata',
        got: 'a tensor of that name',
        mend: 'Rename the tensor.',
      })
    const begin = end
    end += elements(shape) * (dtype === 'f16' ? 2 : 4)
    const entry = { dtype: dtype.toUpperCase(), shape, data_offsets: [begin, end] }
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`
  })
  const json = `{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`
  const text = new TextEncoder().encode(json)
  // Data at a multiple of eight, so that other programs can map it.
  const length = Math.ceil(text.length / 8) * 8
  const header = new Uint8Array(lengthBytes + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(text, lengthBytes)
  return header
}

async function valuesOf(tensor: WritableTensor): Promise<Float32Array> {
  const values = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
  return values instanceof Float32Array ? values : Float32Array.from(values)
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function expectFilled(name: string, shape: readonly number[], values: Float32Array): void {
  if (values.length === elements(shape)) return
  throw new ArgumentError({
    rule: `writeSafetensors needs ${elements(shape)} values for ${name} of shape [${shape.join(', ')}]`,
    got: `${values.length}`,
    mend: 'Pass the values row by row, with the shape that they fill.',
  })
}

function expectHalfRange(name: string, values: Float32Array): void {
  const tooLarge = values.find((value) => Math.abs(value) >= 65520 && Number.isFinite(value))
  if (tooLarge === undefined) return
  throw new ArgumentError({
    rule: "writeSafetensors with dtype 'f16' needs magnitudes below 65520",
    got: `${tooLarge} in ${name}`,
    mend: "Write this model with dtype 'f32'.",
  })
}
