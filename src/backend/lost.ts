import * as tf from '@tensorflow/tfjs'
import { BackendError } from '../core/index.js'
import type { BackendName } from './candidates.js'
import { endThreads } from './wasm/simd.js'

// Why a backend can no longer be used. It goes when the backend object goes.
const losses = new WeakMap<object, unknown>()

/** Records that a backend died; every kernel of it throws from now on. */
export function markLost(backend: object, cause: unknown): void {
  if (!losses.has(backend)) losses.set(backend, cause)
}

/** Whether a backend died. */
export function isLost(backend: object): boolean {
  return losses.has(backend)
}

/** The error of a backend that died. */
export function lostError(name: BackendName, backend: object): BackendError {
  const cause = losses.get(backend)
  return new BackendError({
    rule: `the ${name} backend must stay alive while it is used`,
    got: `a loss (${messageOf(cause)})`,
    mend: 'Its tensors are gone. Call useBackend() again, and load what you need.',
    cause,
  })
}

// A device's own errors have a message and are no Errors.
const messageOf = (cause: unknown): string =>
  cause !== null && typeof cause === 'object' && 'message' in cause ? String(cause.message) : String(cause)

/** A backend that was started before, active or not. */
export function startedBackend(name: BackendName): tf.KernelBackend | undefined {
  return (tf.engine() as unknown as { registry: Record<string, tf.KernelBackend> }).registry[name]
}

/** Takes a backend that died out of tfjs, so that the next start makes a new one. */
export function forgetLost(name: BackendName): void {
  const backend = startedBackend(name)
  if (!backend || !isLost(backend)) return
  const factory = tf.findBackendFactory(name)
  // A dead backend may fail in its own clean-up; it is let go all the same.
  endThreads(backend)
  backend.dispose = () => {}
  tf.removeBackend(name)
  tf.registerBackend(name, factory)
}
