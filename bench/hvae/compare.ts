/**
 * The image mechanism beside causal-gen's own modules, turn by turn in one run:
 * `npx tsx bench/hvae/compare.ts CAUSAL_GEN/src [--python python3] [--rounds 5]`, on two threads each.
 * Prints every round and the medians of the ratios, our speed over theirs: by the clock, and of processor time.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from '../alone/alone.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string', default: 'python3' }, rounds: { type: 'string', default: '5' } },
})
const [source] = positionals
if (!source) throw new Error('npx tsx bench/hvae/compare.ts CAUSAL_GEN/src')

type Task = 'step' | 'counterfactual'
type Taken = Record<Task, { readonly clock: number; readonly processor: number }>

function run(program: string, args: readonly string[]): Taken {
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: '2', TF_CPP_MIN_LOG_LEVEL: '3' }
  const said = execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return JSON.parse(said.trim().split('\n').at(-1)!) as Taken
}

const here = (name: string) => join(import.meta.dirname, name)
const rounds = Array.from({ length: Number(values.rounds) }, () => {
  const ours = run(process.execPath, ['--import', 'tsx', here('ours.ts')])
  const theirs = run(values.python, [here('peer.py'), source])
  console.log(JSON.stringify({ ours, theirs }))
  return { ours, theirs }
})
for (const task of ['step', 'counterfactual'] as const)
  for (const by of ['clock', 'processor'] as const) {
    const ratios = rounds.map(({ ours, theirs }) => theirs[task][by] / ours[task][by])
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
    console.log(`${task}, ${by}: ${median(ratios).toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`)
  }
