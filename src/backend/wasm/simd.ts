import type { Worker } from 'node:worker_threads'
import { arena } from './arena.js'
import type { WasmKernelBackend } from './backend.js'
import { binary } from './binary.js'

/**
 * The kernels of `native/wasm`, at work in the memory of tfjs's module. Arguments are addresses of float32 numbers and
 * counts; what each computes is said where it is written.
 */
export interface Simd {
  add(a: At, b: At, rows: number, repeats: number, width: number, y: At): void
  copyRows(from: At, fromStep: number, to: At, toStep: number, rows: number, width: number): void
  pack(b: At, matrices: number, depth: number, columns: number, turned: boolean, to: At): void
  turn(from: At, rows: number, columns: number, to: At): void
  convolve(
    ...of: [
      ...[x: At, batch: number, height: number, width: number, channels: number],
      ...[kernelHeight: number, kernelWidth: number, stride: number, top: number, left: number],
      ...[outHeight: number, outWidth: number, outChannels: number],
      ...[filter: At, filterSample: number, bias: At, biasSample: number, plus: At, y: At],
    ]
  ): void
  attention(
    ...of: [
      ...[q: At, k: At, v: At, batch: number, heads: number, queries: number, keys: number, depth: number],
      ...[scale: number, causal: boolean, out: At, logSums: At],
    ]
  ): void
  attentionGrad(
    ...of: [
      ...[dOut: At, q: At, k: At, v: At, out: At, logSums: At],
      ...[batch: number, heads: number, queries: number, keys: number, depth: number],
      ...[scale: number, causal: boolean, dq: At, dk: At, dv: At],
    ]
  ): void
  groupNorm(
    ...of: [
      ...[x: At, weight: At, bias: At, batch: number, pixels: number, channels: number, groups: number],
      ...[epsilon: number, silu: boolean, y: At, mean: At, inverse: At],
    ]
  ): void
  groupNormGrad(
    ...of: [
      ...[dy: At, x: At, weight: At, mean: At, inverse: At],
      ...[batch: number, pixels: number, channels: number, groups: number],
      ...[dx: At, dWeight: At, dBias: At],
    ]
  ): void
  layerNorm(...of: [x: At, weight: At, bias: At, rows: number, width: number, epsilon: number, y: At]): void
  layerNormGrad(
    ...of: [dy: At, x: At, weight: At, rows: number, width: number, epsilon: number, dx: At]
  ): void
  swish(x: At, size: number, scale: number, y: At): void
  swishGrad(dy: At, x: At, size: number, scale: number, dx: At): void
  gelu(x: At, size: number, y: At): void
  geluGrad(dy: At, x: At, size: number, dx: At): void
  geglu(x: At, rows: number, width: number, y: At): void
  gegluGrad(dy: At, x: At, rows: number, width: number, dx: At): void
}

/** An address in wasm's memory; 0 is none. */
export type At = number

interface Exports extends Simd {
  init(pool: At, threads: number): void
}

const started = new WeakMap<object, Exports>()
const workers = new WeakMap<object, readonly Worker[]>()

/** The kernels beside a backend, which start with the first that is asked for. */
export function simdOf(backend: WasmKernelBackend): Simd {
  return started.get(backend) ?? start(backend, 1).simd
}

/** How many threads the kernels of a backend have. */
export const threadsOf = (backend: object): number => 1 + (workers.get(backend)?.length ?? 0)

/** Ends the threads of a backend but the caller's. */
export function endThreads(backend: object): void {
  for (const worker of workers.get(backend) ?? []) void worker.terminate()
}

/**
 * Starts the kernels with threads, in Node. They share out the parts of a kernel, and no sum is split, so that results are
 * those of one thread to the last bit.
 *
 * @param backend - its memory must be shared
 * @param threads - the caller's own among them
 */
export async function startThreads(backend: WasmKernelBackend, threads: number): Promise<void> {
  const { Worker } = await import('node:worker_threads')
  const { program, memory, pool } = start(backend, threads)
  const begun = Array.from({ length: threads - 1 }, (_, i) => {
    const worker = new Worker(threadModule, { workerData: { program, memory, pool, threads, thread: i + 1 } })
    return {
      worker,
      ready: new Promise((done, failed) => worker.once('message', done).once('error', failed)),
    }
  })
  workers.set(
    backend,
    begun.map(({ worker }) => worker),
  )
  const dispose = backend.dispose.bind(backend)
  backend.dispose = () => {
    endThreads(backend)
    dispose()
  }
  await Promise.all(begun.map(({ ready }) => ready))
  // They wait for work for ever, and keep no process alive.
  for (const { worker } of begun) worker.unref()
}

function start(backend: WasmKernelBackend, threads: number) {
  const memory = backend.wasm.wasmMemory ?? backend.wasm.asm!.memory
  const program = new WebAssembly.Module(moduleFor(memory))
  const room = arena(backend)
  const { exports } = new WebAssembly.Instance(program, { env: { memory, room } })
  const simd = exports as unknown as Exports
  // At the begin of a line of the cache.
  const pool = ((backend.wasm._malloc(poolBytes + 63) + 63) & ~63) >>> 0
  backend.wasm.HEAPU8.fill(0, pool, pool + poolBytes)
  simd.init(pool, threads)
  started.set(backend, simd)
  return { simd, program, memory, pool }
}

// As `pool.ts` of the kernels lays it out.
const poolBytes = 1408

// The memory of tfjs's module is shared if that has threads, which an import must say: a bit of its limits.
function moduleFor(memory: WebAssembly.Memory): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(binary), (letter) => letter.charCodeAt(0))
  if (memory.buffer instanceof ArrayBuffer) {
    const name = [...'memory'].map((letter) => letter.charCodeAt(0))
    const at = bytes.findIndex((_, i) => name.every((letter, j) => bytes[i + j] === letter))
    bytes[at + name.length + 1]! &= ~2
  }
  return bytes
}

// Of no file, so that it is found wherever the library is bundled. Should a thread die, the others are told.
const threadModule = new URL(
  `data:text/javascript,${encodeURIComponent(`
import { parentPort, workerData } from 'node:worker_threads'
const { program, memory, pool, threads, thread } = workerData
const { exports } = new WebAssembly.Instance(program, { env: { memory, room: () => 0 } })
exports.init(pool, threads)
parentPort.postMessage('ready')
try {
  exports.work(thread)
} catch (error) {
  const [dead, callsToCaller] = [0, 1]
  const words = new Int32Array(memory.buffer, pool, 2)
  Atomics.store(words, dead, 1)
  Atomics.add(words, callsToCaller, 1)
  Atomics.notify(words, callsToCaller)
  throw error
}`)}`,
)
