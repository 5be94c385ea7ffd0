import { CheckpointError } from '../core/index.js'
import { byteSymbols, endOfWord } from './byte-alphabet.js'

/** Two symbols that BPE joins into one. */
export type Merge = readonly [left: string, right: string]

/** CLIP's beginning-of-text token, the first of every prompt. */
export const startOfText = '<|startoftext|>'

/** CLIP's end-of-text token: ends every prompt, pads it in Stable Diffusion 1, and stands for unknown symbols. */
export const endOfText = '<|endoftext|>'

/**
 * The vocabulary that belongs to a list of merges, as CLIP numbers it: 256 byte symbols, the same 256 with
 * `</w>`, one token for each merge, `<|startoftext|>`, `<|endoftext|>`.
 *
 * @param merges - in order of rank
 * @returns token to id, the content of `vocab.json`
 */
export function vocabularyOfMerges(merges: readonly Merge[]): Record<string, number> {
  const tokens = new Set([
    ...byteSymbols,
    ...byteSymbols.map((symbol) => symbol + endOfWord),
    ...merges.map(([left, right]) => left + right),
    startOfText,
    endOfText,
  ])
  return Object.fromEntries([...tokens].map((token, id) => [token, id]))
}

/**
 * Reads the text of a `merges.txt`: an optional `#version` line, then one pair a line, in order of rank.
 *
 * @throws CheckpointError naming the first line that is not two symbols and a space
 */
export function parseMerges(text: string): Merge[] {
  const lines = text.split(/\r?\n/)
  const header = lines[0]?.startsWith('#version') ? 1 : 0
  return lines.slice(header).flatMap((line, i) => {
    if (line === '') return []
    const [left, right, more] = line.split(' ')
    if (left && right && more === undefined) return [[left, right] as const]
    throw new CheckpointError({
      rule: 'merges.txt holds two symbols with one space between them on every line',
      got: `${JSON.stringify(line.slice(0, 80))} on line ${i + header + 1}`,
      mend: 'Check that the file is a BPE merges file and was downloaded whole.',
    })
  })
}

/** The text of a `merges.txt`. */
export function formatMerges(merges: readonly Merge[]): string {
  return ['#version: 0.2', ...merges.map((merge) => merge.join(' ')), ''].join('\n')
}
