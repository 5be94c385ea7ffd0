import * as tf from '@tensorflow/tfjs'
import { ArgumentError, MemoryBudgetError } from './errors.js'

// The budget belongs to the backend object that it limits, so that it goes when the backend goes.
const budgets = new WeakMap<object, number>()

/**
 * The most bytes that the active backend may hold.
 *
 * @returns bytes; `Infinity` where no budget was set (a backend that `useBackend` did not start)
 */
export function memoryBudget(): number {
  return budgets.get(tf.backend()) ?? Number.POSITIVE_INFINITY
}

/**
 * Limits the active backend.
 *
 * @param bytes - above 0; `Infinity` lifts the limit
 * @throws ArgumentError on anything that is not a positive number
 */
export function setMemoryBudget(bytes: number): void {
  if (!(bytes > 0)) {
    throw new ArgumentError({
      rule: 'a memory budget is a positive number of bytes',
      got: String(bytes),
      mend: 'Pass bytes, such as 2 * 2 ** 30, or Infinity for no limit.',
    })
  }
  budgets.set(tf.backend(), bytes)
}

/**
 * Whether the active backend has room for what is to come.
 *
 * @param bytes - what the work will add at its peak
 */
export const hasMemory = (bytes: number): boolean => tf.memory().numBytes + bytes <= memoryBudget()

/**
 * Asserts, before anything is allocated, that the active backend has room for what is to come.
 *
 * @param bytes - what the work will add at its peak
 * @param what - the work, for the message: `the UNet's weights`
 * @param mend - what to do when it does not fit
 * @throws MemoryBudgetError when the tensors alive and `bytes` together exceed the budget
 */
export function expectMemory(
  bytes: number,
  what: string,
  mend = 'Make it smaller, or use a larger backend.',
): void {
  const [budget, held] = [memoryBudget(), tf.memory().numBytes]
  if (hasMemory(bytes)) return
  throw new MemoryBudgetError({
    rule: `${what} must fit the ${tf.getBackend()} backend's budget of ${formatBytes(budget)}`,
    got: `${formatBytes(bytes)} beside ${formatBytes(held)} already held`,
    mend,
  })
}

/** Bytes for a person: `3.2 GiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 2 ** (10 * step)
  return Number.isFinite(bytes)
    ? `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step]}`
    : 'no limit'
}
