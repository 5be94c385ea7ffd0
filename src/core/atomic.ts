/**
 * Writes a file whole or not at all: a temporary file beside it, then a rename.
 *
 * @param path - the final path; missing folders are made
 * @param content - text, bytes, or a function that fills the temporary file by its path
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array | ((temporary: string) => Promise<void>),
): Promise<void> {
  const { mkdir, rename, rm, writeFile } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}-${(writes++).toString(36)}.tmp`
  try {
    if (typeof content === 'function') await content(temporary)
    else await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

// Two writes of one process never share a temporary name.
let writes = 0
