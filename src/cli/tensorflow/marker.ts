import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelsDigest } from './build-kernels.js'
import type { Plan } from './plan.js'

/** The file in the package that says who made it, and of what. */
export const marker = 'contrafact-build.json'

/** What a package by this plan is made of. */
export const made = ({ version, tensorflow }: Plan) => ({ version, tensorflow, kernels: kernelsDigest() })

/** Whether the package in a folder is the planned one, made by this command. */
export function isMade(plan: Plan, folder: string): boolean {
  const path = join(folder, marker)
  if (!existsSync(path)) return false
  const found = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  return Object.entries(made(plan)).every(([key, value]) => found[key] === value)
}
