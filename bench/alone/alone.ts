/** How a bench without a peer is run. */
export interface AloneOptions {
  /** The backend to activate. */
  readonly backend: string
  /** Measurements; medians are given. */
  readonly runs: number
  /** Of the backend, where it can be told. */
  readonly threads: number
}

/** What a bench without a peer answers: numbers under the harness's names, and whether they are what they must be. */
export interface AloneResult {
  readonly name: string
  readonly backend: string
  readonly shape: string
  /** What the bench is about, in words. */
  readonly measure: string
  readonly ratio: number
  readonly spread: readonly [least: number, most: number]
  /** See `peak.ts`. */
  readonly peakBytes: number
  /** Between two ways to the same result, which each bench names; nothing is timed where it is no rounding. */
  readonly maxAbsDifference: number
  /** The bound on `ratio`, in words. */
  readonly must: string
  readonly met: boolean
  readonly [detail: string]: unknown
}

/** The checkpoint that the repository ships. */
export const shippedModel = new URL('../../examples/phantom/model', import.meta.url).pathname

/** Least and most. */
export const spreadOf = (values: readonly number[]): readonly [number, number] => [
  Math.min(...values),
  Math.max(...values),
]

/** The largest difference of two lists of numbers, one by one. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0)
}

/** The middle value, or the mean of the two in the middle. */
export function median(of: readonly number[]): number {
  const sorted = of.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
