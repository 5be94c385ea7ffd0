import { formatBytes, MemoryBudgetError, memoryBudget } from '../../core/index.js'
import { markLost } from '../lost.js'
import { numberOf } from './program.js'

/** The part of tfjs's webgpu backend that the guard needs. */
export interface WebgpuBackend {
  /** The device, whose loss is announced by a promise. */
  readonly device: {
    readonly lost: Promise<{ reason: string; message: string }>
    readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number }
    addEventListener(
      type: 'uncapturederror',
      listener: (event: { error: Error; preventDefault(): void }) => void,
    ): void
  }
  /** Makes and recycles buffers. */
  readonly bufferManager: {
    numBytesAllocated: number
    numFreeBuffers: number
    readonly freeBuffers: Map<string, { readonly size: number; destroy(): void }[]>
    acquireBuffer(size: number, usage: number, ...rest: unknown[]): object
  }
  /** Set while tfjs profiles. */
  readonly activeTimers: readonly object[] | null
  /** What was recorded and not yet sent. */
  readonly commandEncoder: object | null
  /** Ends the pass under way, as sending needs. */
  endComputePassEncoder(): void
  /** Sends what was recorded; the buffers of tensors that were disposed of meanwhile become free. */
  submitQueue(): void
}

/** Bytes of buffers that may be asked for between two times that the queue is sent. */
const mostUnsent = 2 ** 28

/**
 * Makes the loss of a WebGPU device and its lack of memory errors: buffers are checked against the budget and the
 * device's own limit before they are made. What the driver refuses later comes as an event; from then on the backend
 * counts as lost, since its tensors hold nothing.
 *
 * @param backend - its buffer manager is replaced
 */
export function guardWebgpuDevice(backend: WebgpuBackend): void {
  const { device, bufferManager } = backend
  device.lost.then(({ reason, message }) => markLost(backend, new Error(message || reason)))
  // Out of memory, or a program that the device refuses: either way a tensor does not hold what it should.
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    markLost(backend, event.error)
  })
  const acquire = bufferManager.acquireBuffer.bind(bufferManager)
  const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)
  const fits = (size: number, usage: number) =>
    (bufferManager.freeBuffers.get(`${size}_${usage}`)?.length ?? 0) > 0 ||
    bufferManager.numBytesAllocated + size <= memoryBudget()
  let unsent = 0
  bufferManager.acquireBuffer = (size, usage, ...rest) => {
    if (!backend.commandEncoder) unsent = 0
    unsent += size
    // Only what is sent is free for others again. While tfjs profiles it sends program by program.
    const isFull = unsent > mostUnsent || !fits(size, usage)
    if (isFull && backend.commandEncoder && !backend.activeTimers) {
      backend.endComputePassEncoder()
      backend.submitQueue()
      unsent = size
    }
    if (!fits(size, usage)) destroyFree(bufferManager)
    if (size > largest || !fits(size, usage)) {
      throw new MemoryBudgetError({
        rule: `a buffer must fit the webgpu device's limit of ${formatBytes(largest)} and the budget (${formatBytes(memoryBudget())})`,
        got: `${formatBytes(size)} beside ${formatBytes(bufferManager.numBytesAllocated)} already held`,
        mend: 'Free tensors, or work in smaller pieces.',
      })
    }
    oldestLast(bufferManager.freeBuffers.get(`${size}_${usage}`))
    return acquire(size, usage, ...rest)
  }
}

// The last is taken next. With the oldest of those that are free a loop takes the same buffers at every turn, and programs find
// what they bound before.
function oldestLast(free: object[] | undefined): void {
  if (!free || free.length < 2) return
  let oldest = 0
  for (let i = 1; i < free.length; i++) if (numberOf(free[i]!) < numberOf(free[oldest]!)) oldest = i
  const last = free.length - 1
  ;[free[oldest], free[last]] = [free[last]!, free[oldest]!]
}

// Buffers kept for the next tensor of their exact size are no use to one of another size.
function destroyFree(manager: WebgpuBackend['bufferManager']): void {
  for (const buffers of manager.freeBuffers.values()) {
    for (const buffer of buffers.splice(0)) {
      manager.numBytesAllocated -= buffer.size
      manager.numFreeBuffers--
      buffer.destroy()
    }
  }
}
