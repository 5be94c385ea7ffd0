import { join } from 'node:path'
import { CheckpointError, type RunOptions, throwIfAborted } from '../core/index.js'
import { checkPipeline } from './folder.js'
import { type HubFile, type HubListing, listHubFiles } from './hub-api.js'
import { downloadBlob } from './hub-blob.js'
import { type CachedRepository, cachedRepository, hubCacheFolder } from './hub-cache.js'
import { type HubSelection, selectModelFiles } from './hub-files.js'
import { type HubAccess, isUnreachable } from './hub-request.js'
import { fileExists, joinInside } from './paths.js'
import { readJsonObject } from './text-files.js'

/** What to download, from where, to where. Progress is counted in bytes. */
export interface DownloadOptions extends HubSelection, RunOptions {
  /** Branch, tag or commit. Default `'main'`. */
  readonly revision?: string | undefined
  /** Cache folder. Default: the one all Hugging Face libraries share (`HF_HUB_CACHE`, `HF_HOME`). */
  readonly cacheFolder?: string | undefined
  /** Access token. Default: the variable `HF_TOKEN`. */
  readonly token?: string | undefined
  /** Base address. Default: the variable `HF_ENDPOINT`, or `https://huggingface.co`. */
  readonly endpoint?: string | undefined
  /** Use the cache alone, no network. Default: whether the variable `HF_HUB_OFFLINE` is set. */
  readonly offline?: boolean | undefined
}

/** A model in the cache. */
export interface DownloadedModel {
  /** The folder, in the diffusers layout. */
  readonly path: string
  /** The commit that it holds. */
  readonly commit: string
  /** The files that were selected. */
  readonly files: readonly string[]
  /** Whether it was taken from the cache without asking the Hub: on request, or because it did not answer. */
  readonly fromCache: boolean
}

/**
 * Downloads a Stable Diffusion model from the Hugging Face Hub into the cache that all Hugging Face libraries
 * share, or finds it there. Only the files that the pipeline needs; interrupted downloads resume; sizes and hashes
 * are checked. When the Hub does not answer, a complete model in the cache will do.
 *
 * One download of a model at a time: two would write to the same `.incomplete` files.
 *
 * @param id - `organisation/name`
 * @throws CheckpointError for unknown or unsupported models, refusals, damaged content; each says what to do
 * @throws AbortError when the signal is aborted; call again to resume
 */
export async function downloadModel(id: string, options: DownloadOptions = {}): Promise<DownloadedModel> {
  const { env } = process
  const { revision = 'main', offline = isSet(env.HF_HUB_OFFLINE) } = options
  expectId(id)
  throwIfAborted(options.signal, 'downloadModel')
  const repository = cachedRepository(options.cacheFolder ?? hubCacheFolder(), id)
  if (offline) return fromCache(id, revision, repository, options)

  const access: HubAccess = {
    endpoint: (options.endpoint ?? (env.HF_ENDPOINT || 'https://huggingface.co')).replace(/\/+$/, ''),
    token: options.token ?? (env.HF_TOKEN || undefined),
    signal: options.signal,
  }
  let listing: HubListing
  try {
    listing = await listHubFiles(id, revision, access)
  } catch (error) {
    if (isUnreachable(error) && (await repository.commitOf(revision)) !== null)
      return fromCache(id, revision, repository, options)
    throw error
  }
  return fromHub(id, revision, listing, repository, access, options)
}

async function fromHub(
  id: string,
  revision: string,
  { commit, files }: HubListing,
  repository: CachedRepository,
  access: HubAccess,
  options: DownloadOptions,
): Promise<DownloadedModel> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const path = repository.snapshot(commit)
  const take = async (file: HubFile, onBytes: (present: number) => void) => {
    joinInside(path, file.path)
    const blob = repository.blob(file.hash)
    const address = `/${id}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
    if (!(await fileExists(blob))) await downloadBlob(address, file, blob, access, onBytes)
    await repository.place(commit, file.path, file.hash)
  }

  // The index first: a model of another family is refused before gigabytes of it arrive.
  const index = byPath.get('model_index.json')
  if (!options.files && index) {
    await take(index, () => {})
    checkPipeline(id, await readJsonObject(join(path, 'model_index.json')))
  }

  const selected = selectModelFiles(id, [...byPath.keys()], options).map((name) => byPath.get(name)!)
  const total = selected.reduce((sum, { size }) => sum + size, 0)
  let finished = 0
  for (const file of selected) {
    const report = (present: number) =>
      options.onProgress?.({ stage: 'download', done: finished + present, total, detail: file.path })
    await take(file, report)
    report(file.size)
    finished += file.size
  }
  await repository.remember(revision, commit)
  return { path, commit, files: selected.map((file) => file.path), fromCache: false }
}

async function fromCache(
  id: string,
  revision: string,
  repository: CachedRepository,
  selection: HubSelection,
): Promise<DownloadedModel> {
  const commit = await repository.commitOf(revision)
  if (commit === null)
    throw new CheckpointError({
      rule: 'Without the network, a model must be in the cache',
      got: `no revision ${revision} of ${id}`,
      mend: 'Download it once while online, or unset HF_HUB_OFFLINE and { offline }.',
    })
  const files = selectModelFiles(id, await repository.files(commit), selection)
  return { path: repository.snapshot(commit), commit, files, fromCache: true }
}

function expectId(id: string): void {
  if (isHubId(id)) return
  throw new CheckpointError({
    rule: 'A model on the Hub is named organisation/name',
    got: JSON.stringify(id),
    mend: "Copy the name from the model's page.",
  })
}

/** Whether a text can be a model's name on the Hub. */
export function isHubId(id: string): boolean {
  return /^[A-Za-z0-9_][\w.-]*\/[A-Za-z0-9_][\w.-]*$/.test(id) && !id.includes('..') && !id.includes('--')
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && ['1', 'true', 'yes', 'on'].includes(variable.toLowerCase())
}
