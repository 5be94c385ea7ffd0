import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'

/** The largest resident size of this process so far; on a GPU, what the backend ever took of its memory. */
export function peakBytes(): number {
  const { numBytesAllocatedInGPU } = tf.memory() as { numBytesAllocatedInGPU?: number }
  if (numBytesAllocatedInGPU !== undefined) return numBytesAllocatedInGPU
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}
