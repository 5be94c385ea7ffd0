import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { marker } from './marker.js'
import { libraryFolder, type Plan, workPrefix } from './plan.js'

// What was in place before, for the moment between two renames.
const previousOf = ({ cache, gpu }: Plan) => join(cache, gpu ? 'previous-gpu' : 'previous')

/** Exchanges the package in place for a new one. */
export function putInPlace(plan: Plan, built: string): void {
  const previous = previousOf(plan)
  mkdirSync(dirname(plan.place), { recursive: true })
  if (existsSync(plan.place)) renameSync(plan.place, previous)
  renameSync(built, plan.place)
  rmSync(previous, { recursive: true, force: true })
  sweep(plan)
}

/** After an interrupted run: what was in place before is in place again, and half-made folders are gone. */
export function recover(plan: Plan): void {
  const previous = previousOf(plan)
  if (existsSync(previous)) {
    if (existsSync(plan.place)) rmSync(previous, { recursive: true, force: true })
    else renameSync(previous, plan.place)
  }
  sweep(plan)
}

/**
 * Removes the package, if this command made it, and its TensorFlow.
 *
 * @returns whether there was anything
 */
export function removeInstalled(plan: Plan): boolean {
  const ours = existsSync(join(plan.place, marker))
  const library = libraryFolder(plan)
  const kept = existsSync(library)
  if (ours) rmSync(plan.place, { recursive: true, force: true })
  if (kept) rmSync(library, { recursive: true, force: true })
  return ours || kept
}

/** Removes half-made folders; under the lock they can be nobody else's. */
export function sweep(plan: Plan): void {
  for (const prefix of [join(plan.cache, 'tmp-'), workPrefix(plan)]) {
    const folder = dirname(prefix)
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder))
      if (name.startsWith(basename(prefix))) rmSync(join(folder, name), { recursive: true, force: true })
  }
}
