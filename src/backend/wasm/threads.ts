import * as tf from '@tensorflow/tfjs'
import type { WasmKernelBackend } from './backend.js'
import { startThreads } from './simd.js'

/**
 * Has the wasm backend start with threads, in Node: tfjs's module of the kind that has a shared memory, with no threads of its
 * own, and in that memory the kernels of `native/wasm` on several.
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

/** The most threads that are started. */
export const mostThreads = 8

// tfjs's own start, of one thread.
let plain: Factory | undefined

// The part of Emscripten's module that is used here.
interface Module {
  readonly PThread: { unusedWorkers: Thread[]; terminateAllThreads(): void }
  cwrap(name: string, result: 'number' | null, args: 'number'[]): unknown
  tfjs?: Record<string, unknown>
}

interface Thread {
  onmessage?: (event: { data: { cmd: string } }) => void
  postMessage(message: unknown): void
  on(): void
  unref(): void
  terminate(): void
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
  const program = await WebAssembly.compile(await readFile(path('.wasm')))
  const settings = {
    // Eight workers are begun, whose script is for browsers; they are ended before they load anything.
    locateFile: (name: string) =>
      name.endsWith('.worker.js') ? new URL('data:text/javascript,') : path(name.slice(binary.length)),
    mainScriptUrlOrBlob: path('.js'),
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: object, program: object) => void) {
      const { PThread } = settings as unknown as Module
      PThread.terminateAllThreads()
      PThread.unusedWorkers = [noThread()]
      const instance = new WebAssembly.Instance(program, imports)
      done(instance, program)
      return instance.exports
    },
  }
  const { Worker } = globalThis as { Worker?: unknown }
  const module = await factory(settings)
  // Emscripten leaves Node's Worker behind as a global.
  Object.assign(globalThis, { Worker })
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
  setThreadsCount(1)
  const backend = new BackendWasm(module as never)
  await startThreads(backend as unknown as WasmKernelBackend, threads)
  return backend
}

// The module is not ready before the last of its threads has loaded it: one that has nothing to load.
function noThread(): Thread {
  const thread: Thread = {
    postMessage: () => queueMicrotask(() => thread.onmessage?.({ data: { cmd: 'loaded' } })),
    on: () => {},
    unref: () => {},
    terminate: () => {},
  }
  return thread
}
