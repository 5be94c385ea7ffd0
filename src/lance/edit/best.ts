/** One try at an edit, as far as {@link bestPassing} looks at it. */
export interface Judged {
  /** Whether every gate let it pass. */
  readonly passed: boolean
  /** `cos(I₂ − I₁, T₂ − T₁)`; `null` where it is undefined. */
  readonly directional: number | null
}

/**
 * The best try at one edit: of those that passed, the one whose picture moved most in the direction of its caption;
 * where none passed, the same of all. The first one wins a tie; an undefined direction ranks last.
 *
 * The maximum is taken over the whole sweep. The published code forgets it at every self-replace value, so that there
 * the last passing try overwrites the best.
 *
 * @param tries - at least one
 */
export function bestPassing<T extends Judged>(tries: readonly [T, ...T[]] | readonly T[]): T {
  const passing = tries.filter(({ passed }) => passed)
  const score = ({ directional }: T) => directional ?? Number.NEGATIVE_INFINITY
  const pool = passing.length > 0 ? passing : tries
  return pool.reduce((best, one) => (score(one) > score(best) ? one : best))
}
