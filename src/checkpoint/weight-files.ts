import { CheckpointError } from '../core/index.js'
import { isPickleName, pickleError } from './foreign.js'
import { listNames } from './paths.js'

/** Which files hold a component's weights. */
export interface WeightFiles {
  /** One safetensors file, or the JSON index of several. */
  readonly file: string
  /** Whether {@link WeightFiles.file} is an index. */
  readonly sharded: boolean
  /** The variant that was found: what was asked for, or `null` for the plain files. */
  readonly variant: string | null
}

/**
 * Chooses a component's weight files as diffusers does: index before single file, the variant before the plain
 * files; never another variant (`non_ema` lies beside the plain file in some folders).
 *
 * @param folder - of the component, named in errors
 * @param names - the files in it
 * @param variant - `'fp16'`, ...; falls back to the plain files
 * @throws CheckpointError listing what was found and what was expected
 */
export function chooseWeightFiles(folder: string, names: readonly string[], variant?: string): WeightFiles {
  const present = new Set(names)
  for (const wanted of variant === undefined ? [null] : [variant, null]) {
    for (const [file, sharded] of candidates(wanted)) {
      if (present.has(file)) return { file, sharded, variant: wanted }
    }
  }
  throw noWeights(folder, names, variant)
}

/**
 * The shards that belong to an index, by their names: what must be downloaded with it.
 *
 * @param names - the files in the component's folder
 * @param chosen - by {@link chooseWeightFiles}
 */
export function shardsOf(names: readonly string[], { file, variant }: WeightFiles): readonly string[] {
  const stem = file.slice(0, file.indexOf('.'))
  return names.filter((name) => {
    const match = /^(.+?)(?:\.([\w-]+?))?-(\d{5})-of-(\d{5})(?:\.(\w+))?\.safetensors$/.exec(name)
    return match?.[1] === stem && (match[2] ?? match[5] ?? null) === variant
  })
}

// transformers' models use the stem `model`, diffusers' the long one; no folder holds both.
const stems = ['diffusion_pytorch_model', 'model']

function candidates(variant: string | null): [file: string, sharded: boolean][] {
  return stems.flatMap((stem): [string, boolean][] =>
    variant === null
      ? [
          [`${stem}.safetensors.index.json`, true],
          [`${stem}.safetensors`, false],
        ]
      : [
          [`${stem}.safetensors.index.${variant}.json`, true],
          [`${stem}.safetensors.${variant}.index.json`, true],
          [`${stem}.${variant}.safetensors`, false],
        ],
  )
}

function noWeights(folder: string, names: readonly string[], variant: string | undefined): CheckpointError {
  const weights = names.filter((name) => name.endsWith('.safetensors'))
  const pickle = names.find(isPickleName)
  if (weights.length === 0 && pickle) return pickleError(`${folder}/${pickle}`)
  const others = new Set(weights.map((name) => stems.map((stem) => variantOf(name, stem)).find(Boolean)))
  others.delete(undefined)
  const [other] = others
  return new CheckpointError({
    rule: `${folder} holds its weights in ${[variant ?? null, null]
      .slice(variant === undefined ? 1 : 0)
      .flatMap(candidates)
      .map(([file]) => file)
      .join(' or ')}`,
    got: listNames(names),
    mend: other
      ? `The folder has the variant '${other}' only; ask for it with { variant: '${other}' }.`
      : 'Complete the download or the copy of the folder.',
  })
}

function variantOf(name: string, stem: string): string | undefined {
  if (!name.startsWith(`${stem}.`)) return undefined
  return /^\.([\w-]+?)(?:-\d{5}-of-\d{5})?\.safetensors$/.exec(name.slice(stem.length))?.[1]
}
