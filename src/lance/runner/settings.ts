import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { fileExists, folderExists, readJson, writeJson } from '../../checkpoint/index.js'
import { ArgumentError, geometryOf } from '../../core/index.js'
import { resolveSettings } from '../edit/options.js'
import type { LanceRunOptions } from './options.js'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * Everything that two runs must share for their records to belong together, as JSON.
 *
 * @param options - of the run
 */
export function settingsOf({ edit, gates, names, read, model }: LanceRunOptions): Json {
  const { scheduler, ...rest } = resolveSettings(edit)
  const { name, prediction, timesteps } = scheduler
  const settings = {
    format: 1,
    backend: tf.getBackend(),
    names,
    read: read ?? { size: geometryOf(model).size },
    edit: { ...rest, scheduler: { name, prediction, timesteps: [...timesteps] } },
    gates: gates.map((gate) => ('judge' in gate ? { gate: gate.gate, function: true } : gate)),
  }
  return JSON.parse(JSON.stringify(settings)) as Json
}

/**
 * Claims an output folder for a run: writes `run.json` into a new one, and compares it in one that was used before.
 *
 * @param out - the folder
 * @param settings - from {@link settingsOf}
 * @returns whether the folder holds the same run already
 * @throws ArgumentError with every difference when it belongs to another run, or to something else
 */
export async function claimFolder(out: string, settings: Json): Promise<boolean> {
  const path = join(out, 'run.json')
  if (await fileExists(path)) {
    const found = differences((await readJson(path)) as Json, settings)
    if (found.length === 0) return true
    throw new ArgumentError({
      rule: `runLance resumes a run only with the settings it was begun with (${path})`,
      got: found.join('; '),
      mend: 'Give these settings, or another output folder.',
    })
  }
  const inside = (await folderExists(out)) ? await readdir(out) : []
  // A kill while run.json was first written leaves its temporary file alone.
  const others = inside.filter((name) => !/^run\.json\..*\.tmp$/.test(name))
  if (others.length > 0) {
    throw new ArgumentError({
      rule: 'runLance writes into a new or empty folder, or that of an earlier run',
      got: `${out}, which has no run.json and holds ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}`,
      mend: 'Give another output folder.',
    })
  }
  await writeJson(path, settings as Record<string, Json>)
  return false
}

/** Where two pieces of JSON differ, in words. */
export function differences(there: Json | undefined, here: Json | undefined, at = ''): string[] {
  if (isTree(there) && isTree(here)) {
    const [a, b] = [there, here] as unknown as Record<string, Json | undefined>[]
    const keys = [...new Set([...Object.keys(a!), ...Object.keys(b!)])]
    return keys.flatMap((key) => differences(a![key], b![key], at === '' ? key : `${at}.${key}`))
  }
  if (JSON.stringify(there) === JSON.stringify(here)) return []
  const told = (value: Json | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value))
  return [`${at} is ${told(there)} there and ${told(here)} here`]
}

// Lists of numbers (timesteps) are compared whole: a hundred differences would say no more than one.
const isTree = (value: Json | undefined) =>
  typeof value === 'object' &&
  value !== null &&
  !(Array.isArray(value) && value.every((one) => typeof one === 'number'))
