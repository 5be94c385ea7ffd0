import { isFunctionWord } from './function-words.js'

/** One stretch of an alignment: what stands in the source, and what in the target. */
export interface WordChange {
  /** `'kept'` words are the same in both; the others as in a diff. */
  readonly kind: 'kept' | 'deleted' | 'inserted' | 'replaced'
  /** Words of the source, without punctuation at their edges. */
  readonly from: readonly string[]
  /** Words of the target, without punctuation at their edges. */
  readonly to: readonly string[]
}

/**
 * Aligns two captions by the longest common subsequence of their words. Of several longest ones it takes that whose
 * kept words lie together best, a function word with the word that it belongs to: of `no A and no B` → `no B` the
 * first `no` goes with A.
 *
 * @param source - the caption before
 * @param target - the caption after
 */
export function alignWords(source: string, target: string): WordChange[] {
  const [a, b] = [plainWords(source), plainWords(target)]
  const [keysA, keysB] = [a.map((word) => word.toLowerCase()), b.map((word) => word.toLowerCase())]
  const changes: WordChange[] = []
  const gap = (from: readonly string[], to: readonly string[]) => {
    const oneSided = from.every(isFunctionWord) !== to.every(isFunctionWord)
    if (from.length > 0 && to.length > 0 && !oneSided) changes.push({ kind: 'replaced', from, to })
    else {
      if (from.length > 0) changes.push({ kind: 'deleted', from, to: [] })
      if (to.length > 0) changes.push({ kind: 'inserted', from: [], to })
    }
  }
  let [i, j] = [0, 0]
  for (const [ai, bj] of [...commonPairs(keysA, keysB), [a.length, b.length] as const]) {
    gap(a.slice(i, ai), b.slice(j, bj))
    if (ai < a.length) {
      const last = changes.at(-1)
      const joins = last?.kind === 'kept' && ai === i && bj === j
      if (joins) changes.pop()
      const kept = joins ? last : { from: [], to: [] }
      changes.push({ kind: 'kept', from: [...kept.from, a[ai]!], to: [...kept.to, b[bj]!] })
    }
    ;[i, j] = [ai + 1, bj + 1]
  }
  return changes
}

/** The words of a caption, split at white space, without punctuation at their edges; marks alone are no words. */
export function plainWords(caption: string): string[] {
  return caption
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((word) => word !== '')
}

// Longest common subsequence. A kept pair that follows on a kept pair scores one more than the length can outweigh:
// two where its word carries content.
function commonPairs(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const unit = 2 * (Math.min(a.length, b.length) + 1)
  const width = b.length + 1
  // best[state]: the score from (i, j) on; `joined` when the pair before (i, j) was kept.
  const free = new Float64Array((a.length + 1) * width)
  const joined = new Float64Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j
      const skip = Math.max(free[at + width]!, free[at + 1]!)
      const keep = a[i] === b[j] ? unit + joined[at + width + 1]! : Number.NEGATIVE_INFINITY
      free[at] = Math.max(skip, keep)
      joined[at] = Math.max(skip, keep + togetherness(a[i]!))
    }
  const pairs: (readonly [number, number])[] = []
  let [i, j, adjacent] = [0, 0, false]
  while (i < a.length && j < b.length) {
    const at = i * width + j
    const score = adjacent ? joined[at]! : free[at]!
    // Ties go to the later pair: what a caption loses, it loses early.
    if (free[at + width]! === score) i++
    else if (free[at + 1]! === score) j++
    else {
      pairs.push([i++, j++])
      adjacent = true
      continue
    }
    adjacent = false
  }
  return pairs
}

const togetherness = (word: string) => (isFunctionWord(word) ? 1 : 2) / 2
