/**
 * Kills a training at random moments and lets it go on: `npx tsx bench/training-kill.ts [--kills 20] [--seed 1]`.
 *
 * A process fits a small image mechanism, saving itself every other step, and is sent SIGKILL at a random moment of
 * the time that a whole run takes; the next process goes on from the file. When all kills are spent, a last process
 * finishes. The final file (weights, optimiser, average and loss curve) must equal that of a run that was never
 * interrupted, to the last byte.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from '../src/backend/index.js'
import { openSafetensors } from '../src/checkpoint/index.js'
import { torchRandn } from '../src/core/index.js'
import { hvaeConfig } from '../src/scm/index.js'
import { disposeTrainingState, fitHvae, initialHvae } from '../src/training/index.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '200' },
    backend: { type: 'string', default: 'wasm' },
    // What a spawned process trains into.
    train: { type: 'string' },
  },
})
const FILE = 'run.safetensors'

if (values.train !== undefined) await train(values.train)
else await killAndCompare()

async function train(folder: string): Promise<void> {
  await useBackend(values.backend as 'wasm')
  const config = hvaeConfig({
    input_res: 8,
    enc_arch: '8b1d2,4b1d4,1b1',
    dec_arch: '1b1,4b1,8b1',
    widths: [4, 4, 8],
    z_dim: 2,
    context_dim: 1,
  })
  const initial = initialHvae(config, 0)
  console.log('started')
  const state = await fitHvae(
    config,
    initial,
    (_step, random) => ({
      x: tf.tensor4d(random.uniform(2 * 64), [2, 8, 8, 1]),
      parents: tf.tensor2d(random.uniform(2), [2, 1]),
    }),
    {
      steps: Number(values.steps),
      learningRate: 1e-3,
      seed: 0,
      checkpoint: { path: join(folder, FILE), every: 2 },
    },
  )
  disposeTrainingState(state)
}

async function killAndCompare(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'contrafact-training-kill-'))
  const [whole, killed] = ['whole', 'killed'].map((name) => join(root, name)) as [string, string]
  const { ms } = await run(whole)
  console.log(`a whole run of ${values.steps} steps: ${ms.toFixed(0)} ms`)
  // Each process lives for up to a fifth of a whole run, so that the kills fall all over it.
  const random = torchRandn(Number(values.seed))
  const reached: number[] = []
  let afterEnd = 0
  for (let kill = 0; kill < Number(values.kills); kill++) {
    const moment = random.uniform(1)[0]! * (ms / 5)
    const { finished } = await run(killed, moment)
    reached.push(await stepOf(killed))
    afterEnd += Number(finished)
    // A finished run has nothing left to kill: begin again.
    if (finished) rmSync(killed, { recursive: true })
  }
  await run(killed)
  const [a, b] = [whole, killed].map((folder) => readFileSync(join(folder, FILE))) as [Buffer, Buffer]
  const same = a.equals(b)
  console.log(`${values.kills} kills (${afterEnd} came after the end), at steps ${reached.join(', ')}`)
  console.log(same ? `equal, to the last of ${a.length} bytes` : 'DIFFERENT')
  rmSync(root, { recursive: true })
  if (!same) process.exitCode = 1
}

/** One process in a folder, killed some milliseconds after its start or left to finish. */
function run(folder: string, killAfter?: number): Promise<{ finished: boolean; ms: number }> {
  const { steps, backend } = values
  const own = ['--train', folder, '--steps', steps, '--backend', backend]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, ...own], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [started, errors] = [0, '']
    child.stderr.on('data', (text) => {
      errors += text
    })
    child.stdout.once('data', () => {
      started = performance.now()
      if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`a training ended with ${code}: ${errors}`))
      else resolve({ finished: code === 0, ms: performance.now() - started })
    })
  })
}

/** How far the file says that the run has come; 0 where there is none yet. */
async function stepOf(folder: string): Promise<number> {
  try {
    const file = await openSafetensors(join(folder, FILE))
    await file.close()
    return Number(file.metadata.step)
  } catch {
    return 0
  }
}
