import { matchingBlocks, type Opcode, opcodes } from './sequence-matcher.js'

/** What LANCE's published code takes for the words of an edit. */
export interface HistoricWords {
  /** The longest run of lines with a minus sign. */
  readonly original: string
  /** The longest run of lines with a plus sign. */
  readonly edit: string
}

/**
 * The words of an edit as LANCE (2023) extracts them: captions in lower case, without full stops at their ends, split
 * at spaces, compared by Python's `ndiff`. A line counts as removed or added when it contains a minus or a plus sign
 * anywhere; of several runs the first of the longest is kept, guide lines included.
 */
export function ndiffWords(source: string, target: string): HistoricWords {
  const words = (caption: string) =>
    caption
      .toLowerCase()
      .replace(/^\.+|\.+$/g, '')
      .split(' ')
  const lines = ndiff(words(source), words(target))
  return { original: longestRun(lines, '-'), edit: longestRun(lines, '+') }
}

function longestRun(lines: readonly string[], sign: string): string {
  let [best, run]: [string[], string[]] = [[], []]
  for (const line of lines) {
    run = line.includes(sign) ? [...run, line.slice(2)] : []
    if (run.length > best.length) best = run
  }
  return best.join(' ')
}

/** The lines of Python's `difflib.ndiff` (3.7 to 3.11) over items without white space and fewer than 200 of them. */
export function ndiff(a: readonly string[], b: readonly string[]): string[] {
  return opcodes(a, b).flatMap(({ tag, a: from, b: to }) => {
    if (tag === 'equal') return a.slice(...from).map((word) => `  ${word}`)
    return between(a.slice(...from), b.slice(...to))
  })
}

function between(a: readonly string[], b: readonly string[]): string[] {
  const removed = a.map((word) => `- ${word}`)
  const added = b.map((word) => `+ ${word}`)
  if (a.length === 0 || b.length === 0) return [...removed, ...added]
  const pair = closest(a, b)
  // The shorter block first.
  if (!pair) return b.length < a.length ? [...added, ...removed] : [...removed, ...added]
  const [i, j] = pair
  const middle = a[i] === b[j] ? [`  ${a[i]}`] : guided(a[i]!, b[j]!)
  return [...between(a.slice(0, i), b.slice(0, j)), ...middle, ...between(a.slice(i + 1), b.slice(j + 1))]
}

// The two words most alike, if their ratio is at least 0.75; else two that are equal.
function closest(a: readonly string[], b: readonly string[]): readonly [number, number] | undefined {
  let best = 0.74
  let [alike, equal]: (readonly [number, number] | undefined)[] = []
  for (const [j, to] of b.entries())
    for (const [i, from] of a.entries()) {
      if (from === to) equal ??= [i, j]
      else {
        const ratio = similarity([...from], [...to])
        if (ratio > best) [best, alike] = [ratio, [i, j]]
      }
    }
  return best < 0.75 ? equal : alike
}

function similarity(a: readonly string[], b: readonly string[]): number {
  const matched = matchingBlocks(a, b).reduce((sum, { size }) => sum + size, 0)
  return (2 * matched) / (a.length + b.length)
}

// Both words, each with a line that points at what differs.
function guided(from: string, to: string): string[] {
  const marks = { equal: [' ', ' '], replace: ['^', '^'], delete: ['-', ''], insert: ['', '+'] } as const
  const lengthOf = (range: Opcode['a']) => range[1] - range[0]
  let [above, below] = ['', '']
  for (const { tag, a, b } of opcodes([...from], [...to])) {
    above += marks[tag][0].repeat(lengthOf(a))
    below += marks[tag][1].repeat(lengthOf(b))
  }
  const guide = (tags: string) => (tags.trimEnd() === '' ? [] : [`? ${tags.trimEnd()}\n`])
  return [`- ${from}`, ...guide(above), `+ ${to}`, ...guide(below)]
}
