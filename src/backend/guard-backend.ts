import * as tf from '@tensorflow/tfjs'
import { ContrafactError, expectMemory, MemoryBudgetError } from '../core/index.js'
import type { BackendName } from './candidates.js'
import { insideBytes, outputBytes } from './kernel-memory.js'
import { isLost, lostError, markLost } from './lost.js'
import { guardWasmHeap, type WasmBackend, wasmHeapOf } from './wasm/heap.js'
import { guardWebgpuDevice, type WebgpuBackend } from './webgpu/device.js'

/**
 * Puts the active backend under guard: its memory budget is asked before anything is allocated, a failed allocation
 * is a MemoryBudgetError and leaves nothing behind, and the death of the backend is a BackendError. Idempotent.
 *
 * @param name - the active backend
 */
export function guardBackend(name: BackendName): void {
  const backend = tf.backend()
  if (guarded.has(backend)) return
  guarded.add(backend)
  if (name === 'wasm') guardWasmHeap(backend as unknown as WasmBackend)
  if (name === 'webgpu') guardWebgpuDevice(backend as unknown as WebgpuBackend)
  guardTransfers(name, backend)
  guardDisposal(backend)
  for (const kernel of tf.getKernelsForBackend(name)) {
    if (guarded.has(kernel.kernelFunc)) continue
    const kernelFunc = guardKernel(name, kernel)
    guarded.add(kernelFunc)
    tf.unregisterKernel(kernel.kernelName, name)
    tf.registerKernel({ ...kernel, kernelFunc })
  }
}

// Backends and kernel functions that are under guard already.
const guarded = new WeakSet<object>()

// What the innermost kernel at work on webgpu has made.
let made: object[] | undefined

function guardKernel(name: BackendName, { kernelName, kernelFunc }: tf.KernelConfig): tf.KernelFunc {
  return (call) => {
    const backend = call.backend as object
    if (isLost(backend)) throw lostError(name, backend)
    const heap = wasmHeapOf(backend)
    if (name === 'tensorflow') expectMemory(outputBytes(kernelName, call), kernelName)
    const mark = heap?.mark()
    const outer = made
    if (name === 'webgpu') made = []
    try {
      const inside = heap ? insideBytes(kernelName) : 0
      if (inside > 0) heap!.reserve(inside, kernelName)
      return kernelFunc(call)
    } catch (error) {
      if (mark !== undefined) heap?.rewind(mark)
      // What a kernel made on its way to a failure, tfjs knows nothing of.
      for (const dataId of made ?? []) (backend as tf.KernelBackend).disposeData(dataId)
      throw translate(name, backend, kernelName, error)
    } finally {
      made = outer
      heap?.unmark()
    }
  }
}

function translate(name: BackendName, backend: object, kernelName: string, error: unknown): unknown {
  if (error instanceof ContrafactError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (name === 'tensorflow' && /OOM when allocating|out of memory|resource exhausted/i.test(message)) {
    return new MemoryBudgetError({
      rule: `${kernelName} must fit the memory that TensorFlow can get`,
      got: message.split('\n')[0] ?? '',
      mend: 'Nothing of it was kept. Free tensors, work in smaller pieces, or set a memoryBudget in useBackend.',
      cause: error,
    })
  }
  const trap = typeof WebAssembly !== 'undefined' && error instanceof WebAssembly.RuntimeError
  if (trap || /device is lost|device was lost/i.test(message)) {
    markLost(backend, error)
    return lostError(name, backend)
  }
  return error
}

// Data goes in and out outside of kernels too.
function guardTransfers(name: BackendName, backend: tf.KernelBackend): void {
  const write = backend.write.bind(backend)
  const readSync = backend.readSync.bind(backend)
  const read = backend.read.bind(backend)
  const guarded = <T>(what: string, work: () => T): T => {
    if (isLost(backend)) throw lostError(name, backend)
    try {
      return work()
    } catch (error) {
      throw translate(name, backend, what, error)
    }
  }
  backend.write = (values, shape, dtype) =>
    guarded('a tensor', () => {
      if (name === 'tensorflow') expectMemory(tf.util.sizeFromShape(shape) * 4, 'a tensor')
      const dataId = write(values, shape, dtype)
      made?.push(dataId)
      return dataId
    })
  backend.readSync = (dataId) => guarded('reading a tensor', () => readSync(dataId))
  backend.read = async (dataId) => {
    const values = await guarded('reading a tensor', () => read(dataId))
    // A device that was lost while it was asked answers zeros.
    if (isLost(backend)) throw lostError(name, backend)
    return values
  }
}

// The tensors of a dead backend can still be disposed of: the counts go down, the memory is gone already.
function guardDisposal(backend: tf.KernelBackend): void {
  const disposeData = backend.disposeData.bind(backend)
  backend.disposeData = (dataId, force) => isLost(backend) || disposeData(dataId, force)
}
