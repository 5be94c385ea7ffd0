import { CheckpointError } from '../core/index.js'
import { listNames } from './paths.js'
import { chooseWeightFiles, shardsOf } from './weight-files.js'

/** Which files of a repository to take. */
export interface HubSelection {
  /** Variant of the weights, as in {@link openWeights}. */
  readonly variant?: string | undefined
  /** Patterns to take instead of a Stable Diffusion pipeline's files; `*` matches anything, slashes too. */
  readonly files?: readonly string[] | undefined
}

/**
 * The files that a Stable Diffusion pipeline needs: configs, vocabularies, and one set of safetensors for each
 * network; no pickles, no safety checker, no second copy in another precision.
 *
 * @param id - named in errors
 * @param paths - every file there is
 * @param selection - variant, or patterns instead
 * @throws CheckpointError when something is missing, listing what there is
 */
export function selectModelFiles(
  id: string,
  paths: readonly string[],
  selection: HubSelection,
): readonly string[] {
  const selected = selection.files
    ? paths.filter((path) => selection.files!.some((pattern) => matches(pattern, path)))
    : pipelineFiles(id, paths, selection.variant)
  if (selected.length > 0) return selected
  throw new CheckpointError({
    rule: `${id} must have files that match ${listNames(selection.files ?? ['model_index.json'])}`,
    got: listNames(paths),
    mend: selection.files
      ? 'Correct the patterns; * matches anything, slashes too.'
      : 'Choose a model in the diffusers layout: its page lists model_index.json among the files.',
  })
}

function pipelineFiles(id: string, paths: readonly string[], variant: string | undefined): readonly string[] {
  if (!paths.includes('model_index.json')) return []
  const inFolder = (folder: string) =>
    paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1))
  const texts = paths.filter((path) => /^(tokenizer|scheduler)\/[^/]+\.(json|txt)$/.test(path))
  const networks = ['unet', 'vae', 'text_encoder'].flatMap((component) => {
    const names = inFolder(component)
    const weights = chooseWeightFiles(`${id}/${component}`, names, variant)
    const shards = weights.sharded ? shardsOf(names, weights) : []
    const configs = names.includes('config.json') ? ['config.json'] : []
    return [...configs, weights.file, ...shards].map((name) => `${component}/${name}`)
  })
  return ['model_index.json', ...texts, ...networks]
}

function matches(pattern: string, path: string): boolean {
  const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`).test(path)
}
