import * as tf from '@tensorflow/tfjs'
import { BackendError } from '../core/index.js'
import { installWasmKernels } from './wasm-kernels.js'

/** The backends that this library runs on. */
export type BackendName = 'tensorflow' | 'wasm'

/** What {@link useBackend} activated, and what it passed over. */
export interface BackendChoice {
  /** The active backend. */
  readonly backend: BackendName
  /** The npm package that carries it. */
  readonly package: string
  /** Backends tried before it, with the reason each could not start. */
  readonly passedOver: readonly PassedOver[]
}

/** A backend that could not start. */
export interface PassedOver {
  /** The npm package that was tried. */
  readonly package: string
  /** The first line of its error. */
  readonly why: string
}

const packages: Record<BackendName, readonly string[]> = {
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
  wasm: ['@tensorflow/tfjs-backend-wasm'],
}

/**
 * Activates the fastest TensorFlow.js backend that is installed: tensorflow (tfjs-node-gpu, else tfjs-node),
 * else wasm. Prints nothing.
 *
 * @param preference - one backend to insist on; by default the fastest that starts
 * @returns what was chosen, and what was passed over and why
 * @throws BackendError with the install line, when the preferred backend cannot start
 *
 * @example
 * ```ts
 * const { backend } = await useBackend('wasm')
 * console.log(backend) // wasm
 * ```
 */
export async function useBackend(preference?: BackendName): Promise<BackendChoice> {
  const wanted: readonly BackendName[] = preference ? [preference] : ['tensorflow', 'wasm']
  const passedOver: { package: string; why: string }[] = []
  for (const backend of wanted) {
    for (const name of packages[backend] ?? []) {
      try {
        await importBackend(name)
        if (!(await tf.setBackend(backend))) throw new Error(`the backend "${backend}" did not start`)
        await tf.ready()
        if (backend === 'wasm') installWasmKernels()
        return { backend, package: name, passedOver }
      } catch (error) {
        passedOver.push({ package: name, why: firstLine(error) })
      }
    }
  }
  throw new BackendError({
    rule: `useBackend needs ${preference ? `the ${preference} backend` : 'one TensorFlow.js backend'} to start`,
    got: passedOver.map(({ package: name, why }) => `${name}: ${why}`).join('; ') || `"${preference}"`,
    mend: `Install one: npm install ${packages[preference ?? 'wasm']?.at(-1) ?? packages.wasm[0]}@${tf.version_core}.`,
  })
}

async function importBackend(name: string): Promise<void> {
  const { default: util } = await import('node:util')
  // Node 23 removed a function that tfjs-node 4.22 calls (tfjs issue 8609).
  const legacy = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean }
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined
  await import(name)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
