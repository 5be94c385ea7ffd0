import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nativeKernelsFile } from '../../backend/index.js'
import { isMade } from './marker.js'
import type { Plan } from './plan.js'
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
if (!process.argv[2]) process.exit()
process.dlopen({ exports: {} }, process.argv[2])
const [gelu] = tf.backend().executeSingleOutput('ContrafactGelu', [], [tf.tensor1d([1])]).dataSync()
if (Math.abs(gelu - 0.8413447) > 1e-6) throw new Error('a gelu of ' + gelu + ', where 0.8413447 is right')
`

/** Whether the package in a folder is the planned one, made by this command, and computes. */
export async function works(plan: Plan, folder: string): Promise<boolean> {
  return isMade(plan, folder) && (await problemWith(folder)) === undefined
}

/** What a forward and a backward pass with the package in a folder die of; nothing when they are right. */
export async function problemWith(folder: string): Promise<string | undefined> {
  const kernels = join(folder, nativeKernelsFile)
  const paths = existsSync(kernels) ? [folder, kernels] : [folder]
  const { code, output } = await run(process.execPath, ['-e', script, ...paths])
  if (code === 0) return undefined
  return output.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? tail(output)
}
