import { join } from 'node:path'
import { CheckpointError } from '../core/index.js'
import { joinInside, listFolder } from './paths.js'
import type { SafetensorsDtype } from './safetensors-dtypes.js'
import type { SafetensorsEntry } from './safetensors-header.js'
import {
  openSafetensors,
  type ReadingRoom,
  type SafetensorsFile,
  type TensorPlace,
  type TensorValues,
} from './safetensors-read.js'
import { readJsonObject } from './text-files.js'
import { chooseWeightFiles } from './weight-files.js'

/** Which weights of a component to open. */
export interface OpenWeightsOptions {
  /** `'fp16'`, `'non_ema'`, ...; a component without it falls back to its plain files. */
  readonly variant?: string | undefined
}

/** The open weights of one component, from one file or from shards. */
export interface ComponentWeights {
  /** The file that was chosen: a safetensors file, or the index of its shards. */
  readonly file: string
  /** The variant that was found, `null` for the plain files. */
  readonly variant: string | null
  /** Whether a variant was asked for that this component does not have. */
  readonly fellBack: boolean
  /** Every tensor's name, in the order in which the files hold them. */
  readonly names: readonly string[]
  /** A tensor's shape, as PyTorch has it; `undefined` for an unknown name. */
  readonly shape: (name: string) => readonly number[] | undefined
  /** A tensor's stored type; `undefined` for an unknown name. */
  readonly dtype: (name: string) => SafetensorsDtype | undefined
  /** Where a tensor lies on disk; `undefined` for one in memory. */
  readonly place: (name: string) => TensorPlace | undefined
  /** Reads one tensor from disk, to an array of its own or to `room`. */
  readonly read: (name: string, room?: ReadingRoom) => Promise<TensorValues>
  /** Closes the files. Idempotent. */
  readonly close: () => Promise<void>
}

/**
 * Opens the weights of one component: a single file, a variant, or shards with their index.
 *
 * @param path - the model folder
 * @param component - `unet`, `vae`, `text_encoder`
 * @returns owned by the caller: `close()` it
 * @throws CheckpointError when files are missing, malformed, git-LFS pointers or pickles
 */
export async function openWeights(
  path: string,
  component: string,
  { variant }: OpenWeightsOptions = {},
): Promise<ComponentWeights> {
  const folder = join(path, component)
  const chosen = chooseWeightFiles(folder, await listFolder(folder), variant)
  const file = join(folder, chosen.file)
  const located = chosen.sharded ? await openShards(folder, file) : await openSingle(file)

  const at = (name: string): LocatedTensor => {
    const tensor = located.tensors.get(name)
    if (tensor) return tensor
    throw new CheckpointError({
      rule: `A tensor that is read must be in ${file}`,
      got: JSON.stringify(name),
      mend: 'The names are in `names`.',
    })
  }
  let open = true
  return {
    file,
    variant: chosen.variant,
    fellBack: variant !== undefined && chosen.variant === null,
    names: [...located.tensors.keys()],
    shape: (name) => located.tensors.get(name)?.entry.shape,
    dtype: (name) => located.tensors.get(name)?.entry.dtype,
    place: (name) => at(name).file.place(name),
    read: async (name, room) => at(name).file.read(name, room),
    close: async () => {
      if (open) await Promise.all(located.files.map((each) => each.close()))
      open = false
    },
  }
}

interface LocatedTensor {
  readonly file: SafetensorsFile
  readonly entry: SafetensorsEntry
}

interface LocatedTensors {
  readonly files: readonly SafetensorsFile[]
  readonly tensors: ReadonlyMap<string, LocatedTensor>
}

async function openSingle(path: string): Promise<LocatedTensors> {
  const file = await openSafetensors(path)
  return {
    files: [file],
    tensors: new Map([...file.entries].map(([name, entry]) => [name, { file, entry }])),
  }
}

async function openShards(folder: string, indexPath: string): Promise<LocatedTensors> {
  const shardOf = await readWeightMap(indexPath)
  const files: SafetensorsFile[] = []
  try {
    const tensors = new Map<string, LocatedTensor>()
    for (const shard of [...new Set(shardOf.values())].sort()) {
      const file = await openSafetensors(joinInside(folder, shard))
      files.push(file)
      for (const [name, entry] of file.entries)
        if (shardOf.get(name) === shard) tensors.set(name, { file, entry })
    }
    const missing = [...shardOf]
      .filter(([name]) => !tensors.has(name))
      .map(([name, shard]) => `${name} in ${shard}`)
    if (missing.length === 0) return { files, tensors }
    throw new CheckpointError({
      rule: `${indexPath} and its shards must agree`,
      got: `${missing.length} tensors missing, first ${missing[0]}`,
      mend: 'The shards belong to another model or save; get the folder again.',
    })
  } catch (error) {
    await Promise.all(files.map((file) => file.close()))
    throw error
  }
}

async function readWeightMap(path: string): Promise<ReadonlyMap<string, string>> {
  const { weight_map: weightMap } = await readJsonObject(path)
  const entries = typeof weightMap === 'object' && weightMap !== null ? Object.entries(weightMap) : []
  if (entries.length > 0 && entries.every(([, shard]) => typeof shard === 'string')) return new Map(entries)
  throw new CheckpointError({
    rule: `${path} must map tensor names to shards under weight_map`,
    got: `weight_map ${JSON.stringify(weightMap)?.slice(0, 80)}`,
    mend: 'The index is damaged; get the folder again.',
  })
}
