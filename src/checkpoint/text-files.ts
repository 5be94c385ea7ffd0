import { readFile, stat } from 'node:fs/promises'
import { CheckpointError, writeAtomically } from '../core/index.js'
import { lfsPointerError } from './foreign.js'

// The largest text of a Stable Diffusion folder is a tokenizer of 2 MB.
const largestText = 64 * 2 ** 20

/**
 * Reads a UTF-8 text file of a model: `merges.txt`, a config.
 *
 * @throws CheckpointError when it is missing, larger than 64 MiB, not UTF-8, or a git-LFS pointer
 */
export async function readText(path: string): Promise<string> {
  const unreadable = (got: string, mend: string, cause?: unknown) =>
    new CheckpointError({
      rule: 'A model folder holds its configs and vocabularies as text',
      got,
      mend,
      cause,
    })
  let bytes: Uint8Array
  try {
    const { size } = await stat(path)
    if (size > largestText)
      throw unreadable(`${path} of ${size} bytes`, 'No text of a model is larger than 64 MiB.')
    bytes = await readFile(path)
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw unreadable(
      `${path} (${code})`,
      'Check that the folder is complete and in the diffusers layout.',
      cause,
    )
  }
  const pointer = lfsPointerError(bytes, path)
  if (pointer) throw pointer
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw unreadable(`${path}, which is not UTF-8`, 'The file is damaged; get it again.', cause)
  }
}

/**
 * Reads a JSON file of a model.
 *
 * @throws CheckpointError as {@link readText}, or when it is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path)
  try {
    return JSON.parse(withoutInfinities(text))
  } catch (cause) {
    throw new CheckpointError({
      rule: `${path} must be JSON`,
      got: (cause as Error).message,
      mend: 'The file is damaged or was edited by hand; get it again.',
      cause,
    })
  }
}

/**
 * Reads a JSON file whose content is an object.
 *
 * @throws CheckpointError as {@link readJson}, or when it holds anything but an object
 */
export async function readJsonObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  const value = await readJson(path)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new CheckpointError({
    rule: `${path} must hold a JSON object`,
    got: JSON.stringify(value).slice(0, 80),
    mend: 'The file is damaged or was edited by hand; get it again.',
  })
}

/**
 * Writes JSON as Python's writers do: two spaces, keys in the order given, a newline at the end. Whole or not at all.
 *
 * @param path - of the file; missing folders are made
 * @param value - anything that JSON can hold
 */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`)
}

// Python writes floats that JSON has no word for: a scheduler's "lambda_min_clipped": -Infinity. As a bare word they
// can only stand where a value does; strings are skipped by matching them first.
function withoutInfinities(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (found) =>
    found.startsWith('"') ? found : 'null',
  )
}
