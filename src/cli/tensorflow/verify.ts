import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { marker, type Plan } from './plan.js'
import { run, tail } from './run.js'

// Run by a process of its own: a bad addon takes its process with it. d/dx sum((x W)²) = 2 (x W) Wᵀ.
const script = `
const util = require('node:util')
util.isNullOrUndefined ??= (v) => v === null || v === undefined
const tf = require(process.argv[1])
if (tf.getBackend() !== 'tensorflow') throw new Error('the backend is ' + tf.getBackend())
const w = tf.tensor2d([1, 2, 3, 4], [2, 2])
const got = [...tf.grad((x) => x.matMul(w).square().sum())(tf.tensor2d([1, 1], [1, 2])).dataSync()]
if (got.join() !== '32,72') throw new Error('a gradient of ' + got + ', where 32,72 is right')
`

/** Whether the package in a folder is the planned one, made by this command, and computes. */
export async function works(plan: Plan, folder: string): Promise<boolean> {
  if (!existsSync(join(folder, marker))) return false
  const made = JSON.parse(readFileSync(join(folder, marker), 'utf8')) as {
    version?: string
    tensorflow?: string
  }
  if (made.version !== plan.version || made.tensorflow !== plan.tensorflow) return false
  return (await problemWith(folder)) === undefined
}

/** What a forward and a backward pass with the package in a folder die of; nothing when they are right. */
export async function problemWith(folder: string): Promise<string | undefined> {
  const { code, output } = await run(process.execPath, ['-e', script, folder])
  if (code === 0) return undefined
  return output.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? tail(output)
}
