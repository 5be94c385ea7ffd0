import { CheckpointError } from '../core/index.js'
import { listNames } from './paths.js'
import { floatDtypes } from './safetensors-dtypes.js'
import { readingRoom } from './safetensors-read.js'
import type { ComponentWeights } from './weights.js'

/** One parameter of a model, in PyTorch's layout. */
export interface Parameter {
  /** The name that the model expects. */
  readonly name: string
  /** The shape that the model expects. */
  readonly shape: readonly number[]
  /** Row-major values, good until the next parameter is taken: its values are read to the same place. */
  readonly data: Float32Array
}

/** What a model finds in a file. */
export interface LoadedParameters {
  /** Every expected parameter, read from disk tensor by tensor, in the order of the file. */
  readonly parameters: AsyncIterable<Parameter>
  /** Names in the file that the model has no use for. */
  readonly unexpected: readonly string[]
}

/** How names in a file relate to names in a model. */
export interface LoadParametersOptions {
  /** A file's name to the model's; applied before the known old spellings. */
  readonly rename?: (name: string) => string
  /** Names in the file that are no one's concern; `position_ids` never is. */
  readonly ignore?: RegExp
}

/**
 * Matches a file's tensors to the parameters that a model expects, all of them before any is read.
 *
 * Knows what published files really contain: the autoencoder's old attention names (`query`, `key`, `value`,
 * `proj_attn`), text encoders with and without the prefix `text_model.`, the buffer `position_ids`, and matrices
 * stored as 1x1 convolutions or the other way about.
 *
 * @param weights - open; stays the caller's, and must stay open until the parameters are read
 * @param expected - names to shapes, as PyTorch has them
 * @throws CheckpointError listing every missing and mis-shaped parameter
 */
export function loadParameters(
  weights: ComponentWeights,
  expected: ReadonlyMap<string, readonly number[]>,
  options: LoadParametersOptions = {},
): LoadedParameters {
  const { nameOf, unexpected } = matchParameters(weights, expected, options)
  return { unexpected, parameters: readInOrder(weights, nameOf, expected) }
}

/** What a model finds in a file, and where. */
interface MatchedParameters {
  /** Names in the file, in its order, to those of the model. */
  readonly nameOf: ReadonlyMap<string, string>
  /** Names in the file that the model has no use for. */
  readonly unexpected: readonly string[]
}

/** The first half of {@link loadParameters}: nothing is read. */
export function matchParameters(
  weights: ComponentWeights,
  expected: ReadonlyMap<string, readonly number[]>,
  { rename = (name) => name, ignore }: LoadParametersOptions,
): MatchedParameters {
  const stored = new Map(weights.names.map((name) => [rename(name), name]))
  const found = new Map<string, string>()
  const missing: string[] = []
  const misfits: string[] = []
  for (const [name, shape] of expected) {
    const source = spellings(name)
      .map((spelling) => stored.get(spelling))
      .find((candidate) => candidate !== undefined)
    if (source === undefined) {
      missing.push(name)
      continue
    }
    found.set(source, name)
    const actual = weights.shape(source)!
    const dtype = weights.dtype(source)!
    if (!sameButForOnes(actual, shape)) misfits.push(`${name} [${shape}] is [${actual}] in the file`)
    else if (!floatDtypes.includes(dtype)) misfits.push(`${name} is of ${dtype} in the file`)
  }
  if (missing.length + misfits.length > 0) throw unfitting(weights.file, expected.size, missing, misfits)

  const isExpected = (name: string) =>
    found.has(name) || /(^|\.)position_ids$/.test(name) || ignore?.test(name)
  return {
    nameOf: new Map(weights.names.filter((name) => found.has(name)).map((name) => [name, found.get(name)!])),
    unexpected: weights.names.filter((name) => !isExpected(name)),
  }
}

/** The second half: into two rooms by turns, so that the next tensor is read while the caller works on this one. */
export async function* readInOrder(
  weights: ComponentWeights,
  nameOf: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, readonly number[]>,
): AsyncGenerator<Parameter> {
  const sources = [...nameOf.keys()]
  const sizes = sources.map((source) => {
    const values = weights.shape(source)!.reduce((product, n) => product * n, 1)
    return values * (weights.dtype(source) === 'F64' ? 8 : 4)
  })
  const rooms = [0, 1].map((turn) => readingRoom(Math.max(0, ...sizes.filter((_, i) => i % 2 === turn))))
  const begin = (i: number) => {
    const reading = sources[i] === undefined ? undefined : weights.read(sources[i], rooms[i % 2])
    reading?.catch(() => {}) // thrown when it is awaited
    return reading
  }
  let next = begin(0)
  try {
    for (const [i, source] of sources.entries()) {
      const values = (await next)!
      next = begin(i + 1)
      const name = nameOf.get(source)!
      const data = values instanceof Float32Array ? values : Float32Array.from(values as Float64Array)
      yield { name, shape: expected.get(name)!, data }
    }
  } finally {
    await next?.catch(() => {}) // a caller that stops half-way closes the file
  }
}

const oldAttentionNames: Readonly<Record<string, string>> = {
  to_q: 'query',
  to_k: 'key',
  to_v: 'value',
  'to_out.0': 'proj_attn',
}

// The name itself, then the other ways in which files spell it.
function spellings(name: string): string[] {
  const prefix = 'text_model.'
  const all = [name, name.startsWith(prefix) ? name.slice(prefix.length) : prefix + name]
  const attention = /^(.*\.attentions\.\d+)\.(to_q|to_k|to_v|to_out\.0)\.(weight|bias)$/.exec(name)
  if (attention) all.push(`${attention[1]}.${oldAttentionNames[attention[2]!]}.${attention[3]}`)
  return all
}

function sameButForOnes(a: readonly number[], b: readonly number[]): boolean {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, axis) => (a[axis] ?? 1) === (b[axis] ?? 1)).every(Boolean)
}

function unfitting(
  file: string,
  count: number,
  missing: readonly string[],
  misfits: readonly string[],
): CheckpointError {
  const got = [
    missing.length > 0 && `${missing.length} missing: ${listNames(missing)}`,
    misfits.length > 0 && `${misfits.length} that do not fit: ${listNames(misfits)}`,
  ].filter(Boolean)
  return new CheckpointError({
    rule: `${file} must hold the ${count} parameters that its config describes`,
    got: got.join('; '),
    mend: 'Check that the config and the weights come from the same checkpoint, and that it was saved whole.',
  })
}
