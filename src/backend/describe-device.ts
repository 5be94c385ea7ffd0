import * as tf from '@tensorflow/tfjs'
import type { BackendName } from './candidates.js'
import { nativeKernelsProblem } from './tensorflow/native-kernels.js'
import { wasmHeapEnd } from './wasm/heap.js'
import { threadsOf } from './wasm/simd.js'

/** What the active backend runs on. */
export interface BackendDevice {
  /** For a person: `CPU, native kernels`, `CUDA GPU`, `google swiftshader`, `SIMD, 2 threads`. */
  readonly name: string
  /** Of the library underneath: TensorFlow's, or the tfjs backend's. */
  readonly version: string
  /** Bytes that it can hold; `Infinity` where only the driver knows. */
  readonly memory: number
}

/**
 * Describes the active backend.
 *
 * @param backend - its name
 */
export async function describeDevice(backend: BackendName): Promise<BackendDevice> {
  const active = tf.backend() as unknown as Internals
  switch (backend) {
    case 'tensorflow':
      return {
        name: active.isUsingGpuDevice ? 'CUDA GPU' : `CPU, ${nativeKernelsProblem() ?? 'native kernels'}`,
        version: active.binding?.TF_Version ?? 'unknown',
        memory: active.isUsingGpuDevice ? Number.POSITIVE_INFINITY : await freeMemory(),
      }
    case 'webgpu': {
      const { vendor, architecture } = active.adapterInfo ?? {}
      const name = [vendor, architecture].filter(Boolean).join(' ') || 'unnamed GPU'
      return { name, version: tf.version_core, memory: Number.POSITIVE_INFINITY }
    }
    case 'wasm': {
      const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm')
      const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')
      const threads = threadsOf(active)
      return {
        name: `${simd ? 'SIMD' : 'no SIMD'}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
        version: version_wasm,
        memory: wasmHeapEnd,
      }
    }
  }
}

interface Internals {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
  readonly adapterInfo?: { readonly vendor?: string; readonly architecture?: string }
}

// What the machine, or the container, can still give.
async function freeMemory(): Promise<number> {
  const { freemem } = await import('node:os')
  const { availableMemory } = process as unknown as { availableMemory?: () => number }
  return availableMemory?.() ?? freemem()
}
