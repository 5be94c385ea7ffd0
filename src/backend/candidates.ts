import { env, version_core } from '@tensorflow/tfjs'
import { loadNativeKernels } from './tensorflow/native-kernels.js'
import { loadDawn } from './webgpu/dawn.js'

/** The backends that this library runs on. */
export type BackendName = 'tensorflow' | 'webgpu' | 'wasm'

/** Every backend, the fastest first. */
export const fastestFirst: readonly BackendName[] = ['tensorflow', 'webgpu', 'wasm']

/** One package that can carry a backend. */
export interface Candidate {
  /** The backend that it carries. */
  readonly backend: BackendName
  /** The npm package. */
  readonly package: string
  /** How to get it. */
  readonly install: string
  /** Imports it, so that it registers itself with tfjs. */
  readonly load: () => Promise<void>
}

/** The packages that can carry a backend, in the order in which they are tried. */
export const candidates: readonly Candidate[] = [
  {
    backend: 'tensorflow',
    package: '@tensorflow/tfjs-node-gpu',
    install: `npm install @tensorflow/tfjs-node-gpu@${version_core}, or: npx contrafact install-tensorflow --gpu`,
    load: () => loadAddon('@tensorflow/tfjs-node-gpu'),
  },
  {
    backend: 'tensorflow',
    package: '@tensorflow/tfjs-node',
    install: `npm install @tensorflow/tfjs-node@${version_core}, or: npx contrafact install-tensorflow`,
    load: () => loadAddon('@tensorflow/tfjs-node'),
  },
  {
    backend: 'webgpu',
    package: '@tensorflow/tfjs-backend-webgpu',
    install: `npm install @tensorflow/tfjs-backend-webgpu@${version_core} webgpu`,
    load: async () => {
      const name = optional('@tensorflow/tfjs-backend-webgpu')
      // It looks for a device when it is imported; that it is missing is said before that a device is.
      if (env().getBool('IS_NODE')) import.meta.resolve(name)
      await loadDawn()
      await import(name)
    },
  },
  {
    backend: 'wasm',
    package: '@tensorflow/tfjs-backend-wasm',
    install: `npm install @tensorflow/tfjs-backend-wasm@${version_core}`,
    load: async () => {
      await import('@tensorflow/tfjs-backend-wasm')
    },
  },
]

async function loadAddon(name: string): Promise<void> {
  const { default: util } = await import('node:util')
  // Node 23 removed a function that tfjs-node 4.22 calls (tfjs issue 8609).
  const legacy = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean }
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined
  // TensorFlow reads them when it starts: what one step frees, the next takes from a pool, where the system would clear every
  // page again; and the pool may have what the machine has.
  const { totalmem } = await import('node:os')
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= 'true'
  process.env.TF_CPU_BFC_MEM_LIMIT_IN_MB ??= String(Math.floor(totalmem() / 2 ** 20))
  await import(optional(name))
  await loadNativeKernels(name)
}

// Neither the compiler nor a bundler should insist on an optional peer.
const optional = (name: string): string => name
