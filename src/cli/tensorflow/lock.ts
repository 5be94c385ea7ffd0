import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../../core/index.js'

/**
 * Runs `work` while no other process does the same in the same folder. A lock whose process is gone is taken over.
 *
 * @param folder - made if missing
 * @param work - what must not run twice at once
 * @throws BackendError when another process is at it
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'install.lock')
  take(path)
  // A break by the user ends the process in order: the lock goes, half-made folders are swept by the next run.
  const stop = (signal: NodeJS.Signals) => {
    rmSync(path, { force: true })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await work()
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    rmSync(path, { force: true })
  }
}

function take(path: string): void {
  // Written first and linked then, so that a lock never exists without its owner's number.
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (;;) {
      try {
        linkSync(mine, path)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = ownerOf(path)
      if (owner === undefined) continue // it was given up meanwhile
      if (isAlive(owner)) throw busy(owner)
      setAside(path, owner)
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

// Of two processes that find a dead lock, one renames it; if that was a new owner's by then, it is put back.
function setAside(path: string, owner: number): void {
  const aside = `${path}.stale-${process.pid}`
  try {
    renameSync(path, aside)
    if (ownerOf(aside) !== owner) linkSync(aside, path)
  } catch {
    // Another process was faster.
  }
  rmSync(aside, { force: true })
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function busy(owner: number): BackendError {
  return new BackendError({
    rule: 'install-tensorflow runs once at a time in a project',
    got: `process ${owner} at it`,
    mend: 'Wait for it to end, then run this again: it will find the work done.',
  })
}
