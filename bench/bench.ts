/**
 * Speed and memory beside diffusers on PyTorch, in one process tree:
 *
 *   npm run bench -- NAME [--backend tensorflow] [--size 64] [--runs 5] [--warmup 1] [--peer diffusers | none] [--device cpu] [--recompute] [--profile] [--json]
 *
 * Both sides load the same random Stable Diffusion 1.5, take the same inputs and the same number of threads. Their
 * outputs are compared before anything is timed; then runs alternate. `ratio` is our speed over the peer's. What is measured is
 * the library as it is published, which is built first.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { torchRandn } from 'contrafact/core'
import { type AloneResult, median } from './alone/alone.js'
import { edits } from './alone/edits.js'
import { leaks } from './alone/leaks.js'
import { wasm } from './alone/wasm.js'
import { wasmThreads } from './alone/wasm-threads.js'
import type { Case } from './case.js'
import { peerPython } from './python.js'
import { ours, peer, type Side } from './side.js'
import { randomStableDiffusion } from './weights.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'tensorflow' },
    size: { type: 'string' },
    runs: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    dtype: { type: 'string', default: 'f32' },
    peer: { type: 'string', default: 'diffusers' },
    device: { type: 'string', default: 'cpu' },
    python: { type: 'string' },
    cache: { type: 'string', default: join(homedir(), '.cache', 'contrafact-bench') },
    profile: { type: 'boolean', default: false },
    recompute: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

type Shapes = Record<string, readonly number[]>
const shapesOf: Record<string, (size: number) => { shape: string; inputs: Shapes }> = {
  unet: (n) => ({ shape: `batch 2, latents ${n}×${n}`, inputs: { x: [2, n, n, 4], context: [2, 77, 768] } }),
  'null-text': (n) => ({
    shape: `batch 1, latents ${n}×${n}`,
    inputs: { x: [1, n, n, 4], pivot: [1, n, n, 4], conditional: [1, n, n, 4], context: [1, 77, 768] },
  }),
  'vae-encode': (n) => ({ shape: `${8 * n}×${8 * n}`, inputs: { image: [1, 8 * n, 8 * n, 3] } }),
  'vae-decode': (n) => ({ shape: `${8 * n}×${8 * n}`, inputs: { latents: [1, n, n, 4] } }),
  clip: () => ({ shape: '2 prompts', inputs: { ids: [2, 77] } }),
  load: () => ({ shape: `whole model, ${values.dtype}`, inputs: {} }),
}

const alone = { edits, wasm, 'wasm-threads': wasmThreads, leaks }

const [name] = positionals
if (!name || !(name in shapesOf || name in alone)) {
  console.error(
    `npm run bench -- NAME, one of ${[...Object.keys(shapesOf), ...Object.keys(alone)].join(', ')}`,
  )
  process.exit(2)
}
if (name in alone) {
  const options = { backend: values.backend, runs: Number(values.runs), threads: Number(values.threads) }
  const result = await alone[name as keyof typeof alone](options)
  console.log(values.json ? JSON.stringify(result) : aloneRow(result))
  process.exit(result.met ? 0 : 1)
}

const threads = Number(values.threads)
const scratch = mkdtempSync(join(tmpdir(), 'contrafact-bench-'))
const sides: Side[] = []
try {
  const folder = await randomStableDiffusion(values.cache, values.dtype as 'f32' | 'f16')
  const { shape, inputs } = shapesOf[name]!(Number(values.size ?? 64))
  const of: Case = {
    name,
    shape,
    folder,
    inputs: writeInputs(inputs),
    device: values.device as Case['device'],
    recompute: values.recompute,
  }
  const us = await begin(ours(of, values.backend, threads))
  const them =
    values.peer === 'none'
      ? undefined
      : await begin(peer(of, peerPython(values.cache, values.python), threads))
  const maxAbsDifference = them ? await compare(us, them) : undefined

  const [ourSeconds, theirSeconds, tensors]: [number[], number[], (number | undefined)[]] = [[], [], []]
  const runs = Number(values.runs)
  for (let i = -Number(values.warmup); i < runs; i++) {
    const mine = await us.run()
    const theirs = await them?.run()
    if (i < 0) continue
    ourSeconds.push(mine.seconds)
    tensors.push(mine.tensors)
    if (theirs) theirSeconds.push(theirs.seconds)
  }
  const ratios = theirSeconds.map((seconds, i) => seconds / ourSeconds[i]!)
  const result = {
    name,
    backend: us.ready,
    peer: them?.ready,
    shape,
    threads,
    runs,
    seconds: median(ourSeconds),
    peerSeconds: them && median(theirSeconds),
    ratio: them && median(ratios),
    spread: them && [Math.min(...ratios), Math.max(...ratios)],
    peakBytes: await us.peak(),
    peerPeakBytes: await them?.peak(),
    maxAbsDifference,
    leakedTensors: tensors.at(-1)! - tensors[0]!,
  }
  if (values.profile) console.table(await us.profile())
  if (values.json) console.log(JSON.stringify(result))
  else console.log(row(result))
} finally {
  for (const side of sides) side.stop()
  rmSync(scratch, { recursive: true, force: true })
}

async function begin(starting: Promise<Side>): Promise<Side> {
  const side = await starting
  sides.push(side)
  return side
}

function writeInputs(shapes: Shapes): Case['inputs'] {
  return Object.fromEntries(
    Object.entries(shapes).map(([key, shape], i) => {
      const path = join(scratch, `${key}.f32`)
      const count = shape.reduce((product, n) => product * n, 1)
      writeFileSync(path, key === 'ids' ? tokenIds(count) : inputValues(key, count, i))
      return [key, { path, shape }]
    }),
  )
}

function inputValues(key: string, count: number, seed: number): Float32Array {
  const noise = torchRandn(seed).normal(count)
  return key === 'image' ? noise.map((value) => Math.max(-1, Math.min(1, value / 3))) : noise
}

function tokenIds(count: number): Float32Array {
  const id = (at: number) => (at === 0 ? 49406 : at > 20 ? 49407 : 1000 + at)
  return Float32Array.from({ length: count }, (_, i) => id(i % 77))
}

async function compare(us: Side, them: Side): Promise<number> {
  const [mine, theirs] = [join(scratch, 'ours.f32'), join(scratch, 'theirs.f32')]
  await us.output(mine)
  await them.output(theirs)
  const read = (path: string) => {
    const bytes = readFileSync(path)
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  }
  const [a, b] = [read(mine), read(theirs)]
  if (a.length !== b.length) throw new Error(`outputs of ${a.length} and ${b.length} values`)
  let [largest, scale] = [0, 1]
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!))
    scale = Math.max(scale, Math.abs(b[i]!))
  }
  if (!(largest <= 1e-3 * scale)) throw new Error(`the outputs differ by ${largest}: nothing is timed`)
  return largest
}

function aloneRow({ name, shape, backend, measure, ratio, spread, must }: AloneResult): string {
  const range = spread.map((value) => value.toFixed(2)).join(' to ')
  return `| ${[name, shape, backend, measure, ratio.toFixed(2), range, must].join(' | ')} |`
}

function row(result: {
  name: string
  backend: string
  shape: string
  seconds: number
  peerSeconds: number | undefined
  ratio: number | undefined
  spread: number[] | undefined
  peakBytes: number
  peerPeakBytes: number | undefined
  maxAbsDifference: number | undefined
}): string {
  const gigabytes = (bytes: number | undefined) => (bytes === undefined ? '' : (bytes / 2 ** 30).toFixed(1))
  const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? ''
  const spread = result.spread?.map((value) => value.toFixed(2)).join(' to ') ?? ''
  const cells = [
    result.name,
    result.shape,
    result.backend,
    number(result.seconds, 3),
    number(result.peerSeconds, 3),
    number(result.ratio, 2),
    spread,
    gigabytes(result.peakBytes),
    gigabytes(result.peerPeakBytes),
    result.maxAbsDifference?.toExponential(1) ?? '',
  ]
  return `| ${cells.join(' | ')} |`
}
