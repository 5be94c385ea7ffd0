import * as tf from '@tensorflow/tfjs'

/**
 * Has the wasm backend start with threads, in Node. tfjs offers them to browsers alone, but its package
 * carries all that is needed. What Node asks for beside it:
 *
 * - the module takes at most half of the logical cores, which of two leaves one: it is told twice what is wanted;
 * - the workers' script is a string for a Blob, which Node's workers cannot load: here it is a module of its own;
 * - eight workers are begun, and every one is waited for: those beyond need are ended before they load;
 * - nothing keeps the process alive until the workers are there, and they keep it alive for ever after: both the
 *   other way round here.
 *
 * Threads share out the rows of products and convolutions and whole pictures of softmax and elementwise kernels; no
 * sum is split, so results are those of one thread to the last bit.
 *
 * They wait for one another after every kernel, so that on a machine busy with other work they are slower than one.
 *
 * @param threads - 1 to 8, the caller's own among them; left out, as many as at the last start, at first one
 */
export function prepareWasmThreads(threads: number | undefined): void {
  const registered = tf.findBackendFactory('wasm') as Factory | undefined
  plain ??= registered
  if (!tf.env().getBool('IS_NODE') || (registered && threads === undefined)) return
  if (registered) tf.removeBackend('wasm')
  tf.registerBackend('wasm', threads === undefined || threads === 1 ? plain! : () => start(threads))
}

type Factory = () => tf.KernelBackend | Promise<tf.KernelBackend>

/** The most threads that the module starts. */
export const mostThreads = 8

// tfjs's own start, of one thread.
let plain: Factory | undefined

/** How many threads a wasm backend has. */
export function threadsOf(backend: object): number {
  const { wasm } = backend as { wasm?: Module }
  return wasm?.PThread ? wasm.PThread.runningWorkers.length + 1 : 1
}

/** Ends the threads of a backend that died. */
export function endThreads(backend: object): void {
  const { wasm } = backend as { wasm?: Module }
  wasm?.PThread?.terminateAllThreads()
}

// The part of Emscripten's module that is used here.
interface Module {
  readonly PThread?: {
    unusedWorkers: Thread[]
    readonly runningWorkers: Thread[]
    terminateAllThreads(): void
  }
  cwrap(name: string, result: 'number' | null, args: 'number'[]): unknown
  tfjs?: Record<string, unknown>
}

interface Thread {
  terminate(): void
  unref(): void
}

const binary = 'tfjs-backend-wasm-threaded-simd'

async function start(threads: number): Promise<tf.KernelBackend> {
  const { readFile } = await import('node:fs/promises')
  const { createRequire } = await import('node:module')
  const { BackendWasm, setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm')
  const require = createRequire(import.meta.url)
  const path = (ending: string) =>
    require.resolve(`@tensorflow/tfjs-backend-wasm/wasm-out/${binary}${ending}`)
  const factory = require(path('.js')) as (settings: object) => Promise<Module>
  const { wasmWorkerContents } = require(path('.worker.js')) as { wasmWorkerContents: string }
  const program = await WebAssembly.compile(await readFile(path('.wasm')))
  const settings = {
    locateFile: (name: string) =>
      name.endsWith('.worker.js') ? workerModule(wasmWorkerContents) : path(name.slice(binary.length)),
    mainScriptUrlOrBlob: path('.js'),
    instantiateWasm(imports: { env: object }, done: (instance: object, program: object) => void) {
      Object.assign(imports.env, { emscripten_num_logical_cores: () => 2 * threads })
      const { PThread } = settings as unknown as Required<Module>
      for (const worker of PThread.unusedWorkers.splice(threads - 1)) worker.terminate()
      const instance = new WebAssembly.Instance(program, imports as unknown as WebAssembly.Imports)
      done(instance, program)
      return instance.exports
    },
  }
  const alive = setInterval(() => {}, 1000)
  const { Worker } = globalThis as { Worker?: unknown }
  try {
    const module = await factory(settings)
    const call = (name: string, count: number, result: 'number' | null = null) =>
      module.cwrap(name, result, new Array(count).fill('number'))
    module.tfjs = {
      init: call('init', 0),
      initWithThreadsCount: call('init_with_threads_count', 1),
      getThreadsCount: call('get_threads_count', 0, 'number'),
      registerTensor: call('register_tensor', 3),
      disposeData: call('dispose_data', 1),
      dispose: call('dispose', 0),
    }
    setThreadsCount(threads)
    const backend = new BackendWasm(module as never)
    for (const worker of module.PThread!.runningWorkers) worker.unref()
    return backend
  } finally {
    clearInterval(alive)
    // Emscripten leaves Node's Worker behind as a global.
    Object.assign(globalThis, { Worker })
  }
}

// The script is written for `require`, and a line break in it was lost to its template string.
function workerModule(script: string): URL {
  const lines = [
    "import { createRequire } from 'node:module'",
    `const require = createRequire(${JSON.stringify(import.meta.url)})`,
    "const __filename = ''",
    script.replace('"use strict";', '').replace(/\n/g, '\\n'),
  ]
  return new URL(`data:text/javascript,${encodeURIComponent(lines.join('\n'))}`)
}
