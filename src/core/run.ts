import { AbortError } from './errors.js'

/** One step of long work, as `onProgress` receives it. */
export interface Progress {
  /** What is being done: `'ddim inversion'`, `'null-text'`, `'edit'`, `'download'`, ... */
  readonly stage: string
  /** Units finished, from 1 to `total`. */
  readonly done: number
  /** Units in all. */
  readonly total: number
  /** The optimised quantity at this step, where there is one. */
  readonly loss?: number
  /** Anything else worth a line: a file name, a rate. */
  readonly detail?: string
}

/** Accepted by everything that takes longer than a moment. Silent by default. */
export interface RunOptions {
  /** Abort to stop before the next step; every tensor made by the work is freed, then AbortError is thrown. */
  readonly signal?: AbortSignal | undefined
  /** Called after each step, synchronously. */
  readonly onProgress?: ((event: Progress) => void) | undefined
}

/**
 * Gives the event loop a turn, then throws if the work was aborted.
 *
 * Synchronous backends (wasm, tensorflow) never yield on their own: without the turn, an `AbortController`
 * or a timer could not fire between steps.
 *
 * @param options - the caller's run options
 * @param stage - named in the error
 * @throws AbortError when `signal` is aborted
 */
export async function breathe(options: RunOptions, stage: string): Promise<void> {
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
  throwIfAborted(options.signal, stage)
}

/**
 * Throws if the work was aborted.
 *
 * @throws AbortError
 */
export function throwIfAborted(signal: AbortSignal | undefined, stage: string): void {
  if (!signal?.aborted) return
  throw new AbortError({
    rule: `${stage} runs until its signal is aborted`,
    got: `an abort (${signal.reason instanceof Error ? signal.reason.message : String(signal.reason)})`,
    mend: 'Nothing was left behind; call again to start over.',
    cause: signal.reason,
  })
}
