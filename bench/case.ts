/** One measurement, as both sides read it. */
export interface Case {
  /** Whether `null-text` computes its blocks again for the gradient instead of keeping what they made. */
  readonly recompute?: boolean
  /** Where the peer runs. Ours runs where its backend does. */
  readonly device: 'cpu' | 'cuda'
  /** Which network or loop. */
  readonly name: string
  /** In words, for the table. */
  readonly shape: string
  /** The model folder. */
  readonly folder: string
  /** Raw float32 inputs by name, channels-last, with their shapes. */
  readonly inputs: Readonly<Record<string, { readonly path: string; readonly shape: readonly number[] }>>
}

/** What a side can do with a case once it is loaded. */
export interface Prepared {
  /** One timed run; leaves nothing behind. */
  readonly run: () => unknown
  /** The result of a run, channels-last. */
  readonly output: () => Promise<Float32Array>
}
