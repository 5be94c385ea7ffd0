import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { torchRandn } from 'contrafact/core'
import { largestDifference } from './alone/alone.js'
import type { Case } from './case.js'

/** A bench beside the peer: in words, and the shapes of its inputs, channels-last. */
interface Shapes {
  readonly shape: string
  readonly inputs: Readonly<Record<string, readonly number[]>>
}

/** By name, for latents of a side. */
export const shapesOf = {
  unet: (n) => ({ shape: `batch 2, latents ${n}×${n}`, inputs: { x: [2, n, n, 4], context: [2, 77, 768] } }),
  'null-text': (n) => ({
    shape: `batch 1, latents ${n}×${n}`,
    inputs: { x: [1, n, n, 4], pivot: [1, n, n, 4], conditional: [1, n, n, 4], context: [1, 77, 768] },
  }),
  'vae-encode': (n) => ({ shape: `${8 * n}×${8 * n}`, inputs: { image: [1, 8 * n, 8 * n, 3] } }),
  'vae-decode': (n) => ({ shape: `${8 * n}×${8 * n}`, inputs: { latents: [1, n, n, 4] } }),
  clip: () => ({ shape: '2 prompts', inputs: { ids: [2, 77] } }),
  load: (_, dtype) => ({ shape: `whole model, ${dtype}`, inputs: {} }),
} as const satisfies Record<string, (size: number, dtype: string) => Shapes>

/** Writes random inputs of these shapes for both sides to read. */
export function writeInputs(folder: string, shapes: Shapes['inputs']): Case['inputs'] {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => {
      const path = join(folder, `${name}.f32`)
      const count = shape.reduce((product, n) => product * n, 1)
      writeFileSync(path, name === 'ids' ? tokenIds(count) : inputValues(name, count, i))
      return [name, { path, shape }]
    }),
  )
}

function inputValues(name: string, count: number, seed: number): Float32Array {
  const noise = torchRandn(seed).normal(count)
  return name === 'image' ? noise.map((value) => Math.max(-1, Math.min(1, value / 3))) : noise
}

function tokenIds(count: number): Float32Array {
  const id = (at: number) => (at === 0 ? 49406 : at > 20 ? 49407 : 1000 + at)
  return Float32Array.from({ length: count }, (_, i) => id(i % 77))
}

/** The largest difference of two files of numbers; one that is no rounding is an error. */
export function compareFiles(ours: string, theirs: string): number {
  const [a, b] = [numbersIn(ours), numbersIn(theirs)]
  if (a.length !== b.length) throw new Error(`outputs of ${a.length} and ${b.length} values`)
  const largest = largestDifference(a, b)
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  if (!(largest <= 1e-3 * scale)) throw new Error(`the outputs differ by ${largest}: nothing is timed`)
  return largest
}

function numbersIn(path: string): Float32Array {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
