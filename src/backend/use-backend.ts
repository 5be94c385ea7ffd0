import * as tf from '@tensorflow/tfjs'
import { ArgumentError, BackendError, setMemoryBudget } from '../core/index.js'
import { type BackendName, type Candidate, candidates, fastestFirst } from './candidates.js'
import { type BackendDevice, describeDevice } from './describe-device.js'
import { explainStart } from './explain-start.js'
import { guardBackend } from './guard-backend.js'
import { forgetLost, isLost, startedBackend } from './lost.js'
import { installTensorflowKernels } from './tensorflow/kernels.js'
import { installWasmKernels } from './wasm/kernels.js'
import { threadsOf } from './wasm/simd.js'
import { mostThreads, prepareWasmThreads } from './wasm/threads.js'
import { installWebgpuKernels } from './webgpu/kernels.js'

/** Options of {@link useBackend}. */
export interface BackendOptions {
  /**
   * The most bytes that the backend may hold, enforced before allocation; by default what the device has: 4 GiB on
   * wasm, the free memory of the machine on tensorflow, no limit but the driver's on webgpu.
   */
  readonly memoryBudget?: number
  /**
   * Threads of the wasm backend in Node, 1 to 8, by default 1; fixed once it has started. They pay on cores that are
   * otherwise idle. The other backends use what the machine has, and wasm in a browser what tfjs gives it.
   */
  readonly threads?: number
}

/** What {@link useBackend} activated, and what it passed over. */
export interface BackendChoice {
  /** The active backend. */
  readonly backend: BackendName
  /** The npm package that carries it. */
  readonly package: string
  /** What it runs on. */
  readonly device: BackendDevice
  /** The most bytes that it may hold; `Infinity` where only the driver knows. */
  readonly memoryBudget: number
  /** Backends tried before it, with the reason each could not start. */
  readonly passedOver: readonly PassedOver[]
}

/** A backend that could not start. */
export interface PassedOver {
  /** The backend that was tried. */
  readonly backend: BackendName
  /** The npm package that was tried. */
  readonly package: string
  /** Why it did not start, in one line. */
  readonly why: string
  /** What would make it start. */
  readonly mend: string
}

/**
 * Activates the fastest TensorFlow.js backend that is installed: tensorflow (tfjs-node-gpu, else tfjs-node), else
 * webgpu (the browser's, or in Node the package `webgpu`), else wasm. Prints nothing, and starts nothing beside the
 * one that it activates.
 *
 * Every kernel of the backend is guarded from then on: what would go over the memory budget is refused with a
 * MemoryBudgetError before it is allocated, and a backend that dies mid-run throws a BackendError. Call `useBackend`
 * again after that: it starts afresh.
 *
 * @param preference - one backend to insist on; by default the fastest that starts
 * @param options - the memory budget, and the threads of wasm
 * @returns what was chosen, and what was passed over and why
 * @throws BackendError with the install line, when the preferred backend cannot start, or none can
 * @throws ArgumentError on the name of no backend, a budget that is not a positive number, or a number of threads that
 * wasm cannot have
 *
 * @example
 * ```ts
 * const { backend } = await useBackend('wasm')
 * console.log(backend) // wasm
 * ```
 */
export async function useBackend(
  preference?: BackendName,
  options: BackendOptions = {},
): Promise<BackendChoice> {
  const wanted = preference === undefined ? fastestFirst : [preference]
  if (!wanted.every((name) => fastestFirst.includes(name))) throw unknownBackend(preference)
  if (options.threads !== undefined) checkThreads(options.threads)
  const passedOver: PassedOver[] = []
  for (const candidate of candidates.filter(({ backend }) => wanted.includes(backend))) {
    const { backend, package: name } = candidate
    try {
      await activate(candidate, options.threads)
    } catch (error) {
      passedOver.push({ backend, package: name, ...explainStart(candidate, error) })
      continue
    }
    if (backend === 'tensorflow') installTensorflowKernels()
    if (backend === 'wasm') installWasmKernels()
    if (backend === 'webgpu') installWebgpuKernels()
    guardBackend(backend)
    const device = await describeDevice(backend)
    const memoryBudget = options.memoryBudget ?? device.memory
    setMemoryBudget(memoryBudget)
    return { backend, package: name, device, memoryBudget, passedOver }
  }
  throw new BackendError({
    rule: `useBackend needs ${preference ? `the ${preference} backend` : 'one TensorFlow.js backend'} to start`,
    got: passedOver.map(({ package: name, why }) => `${name}: ${why}`).join('; '),
    mend: passedOver.at(-1)?.mend ?? '',
  })
}

async function activate(
  { backend, package: name, load }: Candidate,
  threads: number | undefined,
): Promise<void> {
  await load()
  forgetLost(backend)
  if (backend === 'wasm' && !startedBackend(backend)) prepareWasmThreads(threads)
  if (!(await quietly(() => tf.setBackend(backend)))) throw new Error(`${name} registers but does not start`)
  await tf.ready()
}

// tfjs warns on the console when a backend does not start; here that is an answer, not an accident.
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { warn } = console
  console.warn = () => {}
  try {
    return await work()
  } finally {
    console.warn = warn
  }
}

function unknownBackend(name: unknown): ArgumentError {
  return new ArgumentError({
    rule: `useBackend knows ${fastestFirst.join(', ')}`,
    got: JSON.stringify(name),
    mend: 'Leave the name out for the fastest that starts.',
  })
}

function checkThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
    throw new ArgumentError({
      rule: `useBackend needs threads from 1 to ${mostThreads}`,
      got: String(threads),
      mend: 'Leave it out for one, or give the number of idle cores.',
    })
  }
  const started = startedBackend('wasm')
  if (!started || isLost(started) || threadsOf(started) === threads) return
  throw new ArgumentError({
    rule: 'the wasm backend keeps the number of threads that it started with',
    got: `threads: ${threads}, with a backend of ${threadsOf(started)} at work`,
    mend: "Ask at the first useBackend, or end that backend, and its tensors with it: tf.removeBackend('wasm').",
  })
}
