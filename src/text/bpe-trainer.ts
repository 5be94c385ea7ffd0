import { expectNumber } from '../core/index.js'
import { endOfWord } from './byte-alphabet.js'
import { clipPipeline } from './clip-pipeline.js'
import { endOfText, formatMerges, type Merge, vocabularyOfMerges } from './vocabulary.js'

/** A trained vocabulary, as the two files of a tokenizer folder hold it. */
export interface TrainedBpe {
  /** Token to id, the content of `vocab.json`. */
  readonly vocab: Record<string, number>
  /** The text of `merges.txt`. */
  readonly merges: string
}

/**
 * Learns a small CLIP-style vocabulary from texts, so that a model trained from scratch need not carry 49,408
 * embeddings: again and again, the most frequent pair of neighbouring symbols becomes one symbol.
 *
 * Deterministic: of equally frequent pairs the first in code unit order is joined. Training ends early when
 * every word is one symbol. A folder with these two files loads in transformers' `CLIPTokenizer`.
 *
 * @param texts - the captions that the model will see
 * @param options - `merges`: how many pairs to join at most; the vocabulary has at most `514 + merges` tokens
 * @throws ArgumentError when `merges` is not a whole number from 0
 * @see Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1
 */
export function trainBpe(texts: Iterable<string>, options: { readonly merges: number }): TrainedBpe {
  expectNumber(options.merges, { min: 0, integer: true }, 'trainBpe', 'merges')
  const words = countWords(texts)
  const merges: Merge[] = []
  while (merges.length < options.merges) {
    const best = mostFrequentPair(words)
    if (best === undefined) break
    merges.push(best)
    for (const word of words) word.symbols = join(word.symbols, best)
  }
  return { vocab: vocabularyOfMerges(merges), merges: formatMerges(merges) }
}

interface CountedWord {
  symbols: string[]
  readonly count: number
}

/** Every word of the texts as the tokenizer splits them, in single symbols. */
function countWords(texts: Iterable<string>): CountedWord[] {
  const vocab = vocabularyOfMerges([])
  const symbolOf = new Map(Object.entries(vocab).map(([symbol, id]) => [id, symbol]))
  // Without merges the pipeline spells words symbol by symbol, the last one with its mark.
  const spell = clipPipeline(vocab, [], endOfText, [])
  const counts = new Map<string, number>()
  for (const text of texts) {
    let word = ''
    for (const id of spell(text)) {
      const symbol = symbolOf.get(id)!
      word += word === '' ? symbol : ` ${symbol}`
      if (!symbol.endsWith(endOfWord)) continue
      counts.set(word, (counts.get(word) ?? 0) + 1)
      word = ''
    }
  }
  return Array.from(counts, ([word, count]) => ({ symbols: word.split(' '), count }))
}

function mostFrequentPair(words: readonly CountedWord[]): Merge | undefined {
  const counts = new Map<string, number>()
  for (const { symbols, count } of words) {
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]} ${symbols[i]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  }
  let best: string | undefined
  for (const [pair, count] of counts) {
    const lead = count - (best === undefined ? 0 : counts.get(best)!)
    if (lead > 0 || (lead === 0 && pair < best!)) best = pair
  }
  return best?.split(' ') as Merge | undefined
}

function join(symbols: readonly string[], [left, right]: Merge): string[] {
  const joined: string[] = []
  for (let i = 0; i < symbols.length; i++) {
    const pair = symbols[i] === left && symbols[i + 1] === right
    joined.push(pair ? left + right : symbols[i]!)
    if (pair) i++
  }
  return joined
}
