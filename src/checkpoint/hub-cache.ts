import { copyFile, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { writeAtomically } from '../core/index.js'
import { fileExists, folderExists, joinInside } from './paths.js'

/**
 * The cache that every Hugging Face library on this machine shares.
 *
 * @param environment - `HF_HUB_CACHE`, or else `HF_HOME`, or else `XDG_CACHE_HOME`, decides
 */
export function hubCacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (environment.HF_HUB_CACHE) return environment.HF_HUB_CACHE
  const caches = environment.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(environment.HF_HOME || join(caches, 'huggingface'), 'hub')
}

/** One repository in the cache: contents by hash in `blobs`, their names in `snapshots`, branches in `refs`. */
export interface CachedRepository {
  /** Where the content with this hash is, or will be. */
  readonly blob: (hash: string) => string
  /** The folder of one commit. */
  readonly snapshot: (commit: string) => string
  /** The commit that a revision stood for when it was last downloaded; `null` when it never was. */
  readonly commitOf: (revision: string) => Promise<string | null>
  /** Remembers the commit of a revision. */
  readonly remember: (revision: string, commit: string) => Promise<void>
  /** Files of one commit that are present, with forward slashes. */
  readonly files: (commit: string) => Promise<readonly string[]>
  /** Gives a blob its name in a commit: a link, or a copy where the file system has no links. */
  readonly place: (commit: string, path: string, hash: string) => Promise<void>
}

/**
 * The cache's folder of one model.
 *
 * @param cacheFolder - see {@link hubCacheFolder}
 * @param id - `organisation/name`
 * @param link - makes a symbolic link; throws where that is not possible
 */
export function cachedRepository(
  cacheFolder: string,
  id: string,
  link: (target: string, path: string) => Promise<void> = symlink,
): CachedRepository {
  const root = join(cacheFolder, `models--${id.replaceAll('/', '--')}`)
  const snapshot = (commit: string) => joinInside(join(root, 'snapshots'), commit)
  const blob = (hash: string) => joinInside(join(root, 'blobs'), hash)
  const ref = (revision: string) => joinInside(join(root, 'refs'), revision)
  return {
    blob,
    snapshot,
    commitOf: async (revision) => {
      const commit = isCommit(revision) ? revision : await readFile(ref(revision), 'utf8').catch(() => '')
      return isCommit(commit.trim()) && (await folderExists(snapshot(commit.trim()))) ? commit.trim() : null
    },
    remember: async (revision, commit) => {
      if (!isCommit(revision)) await writeAtomically(ref(revision), commit)
    },
    files: async (commit) => {
      const folder = snapshot(commit)
      const entries = await readdir(folder, { recursive: true }).catch(() => [])
      const present = await Promise.all(entries.map((entry) => fileExists(join(folder, entry))))
      return entries.filter((_, i) => present[i]).map((entry) => entry.split(sep).join('/'))
    },
    place: async (commit, path, hash) => {
      const target = joinInside(snapshot(commit), path)
      await mkdir(dirname(target), { recursive: true })
      await rm(target, { force: true })
      await link(relative(dirname(target), blob(hash)), target).catch(() => copyFile(blob(hash), target))
    },
  }
}

function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}
