/**
 * Global alignment of two sequences after Needleman and Wunsch: a match scores +1, a mismatch -1, a gap 0.
 * Of equal scores an insertion into `target` wins over a deletion from `source`, and that over a pair.
 *
 * @returns for each item of `target` the index of its counterpart in `source`, or -1
 * @see Needleman and Wunsch 1970; the scores of Hertz et al. 2022
 */
export function align(source: readonly number[], target: readonly number[]): number[] {
  const score = Array.from({ length: source.length + 1 }, () => new Array<number>(target.length + 1).fill(0))
  for (const [i, x] of source.entries()) {
    for (const [j, y] of target.entries()) {
      const pair = score[i]![j]! + (x === y ? 1 : -1)
      score[i + 1]![j + 1] = Math.max(score[i + 1]![j]!, score[i]![j + 1]!, pair)
    }
  }
  const counterparts = target.map(() => -1)
  let i = source.length
  let j = target.length
  while (i > 0 && j > 0) {
    const best = score[i]![j]!
    if (best === score[i]![j - 1]!) j--
    else if (best === score[i - 1]![j]!) i--
    else counterparts[--j] = --i
  }
  return counterparts
}
