/** Where a command writes. */
export interface Terminal {
  /** The answer. */
  readonly out: (line: string) => void
  /** How it goes, and what went wrong. */
  readonly err: (line: string) => void
}
