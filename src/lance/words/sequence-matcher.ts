/** A run of equal items: where it starts in each sequence, and how long it is. */
export interface Block {
  /** Start in the first sequence. */
  readonly a: number
  /** Start in the second sequence. */
  readonly b: number
  /** Items. */
  readonly size: number
}

/** How a stretch of one sequence becomes a stretch of the other; ranges are `[from, to)`. */
export interface Opcode {
  /** What happens. */
  readonly tag: 'equal' | 'replace' | 'delete' | 'insert'
  /** The range in the first sequence. */
  readonly a: readonly [from: number, to: number]
  /** The range in the second sequence. */
  readonly b: readonly [from: number, to: number]
}

/**
 * Ratcliff and Obershelp's matching, as Python's `SequenceMatcher` does it without junk: the longest common run (of
 * several, the earliest in a, then in b), then the same to the left and to the right of it.
 */
export function matchingBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const found: Block[] = []
  const search = (a0: number, a1: number, b0: number, b1: number): void => {
    const { a: i, b: j, size } = longestBlock(a, b, [a0, a1], [b0, b1])
    if (size === 0) return
    search(a0, i, b0, j)
    const last = found.at(-1)
    if (last && last.a + last.size === i && last.b + last.size === j)
      found[found.length - 1] = { ...last, size: last.size + size }
    else found.push({ a: i, b: j, size })
    search(i + size, a1, j + size, b1)
  }
  search(0, a.length, 0, b.length)
  return found
}

/** The steps that turn one sequence into the other, in order. */
export function opcodes(a: readonly string[], b: readonly string[]): Opcode[] {
  const steps: Opcode[] = []
  let [i, j] = [0, 0]
  for (const block of [...matchingBlocks(a, b), { a: a.length, b: b.length, size: 0 }]) {
    const [more, less] = [i < block.a, j < block.b]
    if (more || less) {
      const tag = more && less ? 'replace' : more ? 'delete' : 'insert'
      steps.push({ tag, a: [i, block.a], b: [j, block.b] })
    }
    ;[i, j] = [block.a + block.size, block.b + block.size]
    if (block.size > 0) steps.push({ tag: 'equal', a: [block.a, i], b: [block.b, j] })
  }
  return steps
}

function longestBlock(
  a: readonly string[],
  b: readonly string[],
  [a0, a1]: readonly [number, number],
  [b0, b1]: readonly [number, number],
): Block {
  let best: Block = { a: a0, b: b0, size: 0 }
  let runs = new Map<number, number>()
  for (let i = a0; i < a1; i++) {
    const next = new Map<number, number>()
    for (let j = b0; j < b1; j++) {
      if (a[i] !== b[j]) continue
      const size = (runs.get(j - 1) ?? 0) + 1
      next.set(j, size)
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size }
    }
    runs = next
  }
  return best
}
