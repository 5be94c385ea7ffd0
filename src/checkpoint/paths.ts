import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../core/index.js'

/**
 * Joins a relative path that came from a file or from the network, refusing every way out of the folder.
 *
 * Only the text is checked: the Hub's cache links files to outside a snapshot, and rightly so.
 *
 * @param folder - trusted
 * @param relative - untrusted, with forward slashes
 * @throws CheckpointError for an absolute path, `..`, a backslash, a drive letter or an empty part
 */
export function joinInside(folder: string, relative: string): string {
  const parts = relative.split('/')
  const unsafe =
    parts.some((part) => part === '' || part === '.' || part === '..') || /[\\:\0]/.test(relative)
  if (!unsafe) return join(folder, ...parts)
  throw new CheckpointError({
    rule: `A file of a model must lie inside its folder, ${folder}`,
    got: JSON.stringify(relative),
    mend: 'The model was tampered with or is damaged; get it from a source that you trust.',
  })
}

/** Whether a file (not a folder) exists at `path`. */
export async function fileExists(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

/** Whether a folder exists at `path`. */
export async function folderExists(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

/** Names in a folder, sorted; nothing when there is no such folder. */
export async function listFolder(path: string): Promise<readonly string[]> {
  const names = await readdir(path).catch(() => [])
  return names.sort()
}

/** Names for a message: all of a few, the first of many. */
export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  const shown = names.slice(0, 20).join(', ')
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown
}
