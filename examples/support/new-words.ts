const negations = new Set(['no', 'not', 'without'])
const endsClause = (word: string) => word.endsWith(',') || word.endsWith('.') || word.toLowerCase() === 'and'

/**
 * The phrases of an edited prompt that its source lacks, which an edit strengthens. A negation counts with all
 * that it denies: to strengthen "no" alone, as LANCE's word diff does, says nothing of what is to go.
 */
export function newPhrases(source: string, target: string): string[] {
  const plain = (word: string) => word.replace(/[,.]$/, '')
  const known = source.split(/\s+/).map(plain)
  const words = target.split(/\s+/)
  const isNew = words.map((word) => {
    const at = known.indexOf(plain(word))
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
  for (const [i, word] of words.entries()) {
    const denies = i > 0 && isNew[i - 1] && !endsClause(words[i - 1]!) && isDenied(words, i)
    if (denies && word.toLowerCase() !== 'and') isNew[i] = true
  }
  const phrases: string[][] = []
  for (const [i, word] of words.entries()) {
    if (!isNew[i]) continue
    if (i > 0 && isNew[i - 1]) phrases.at(-1)!.push(word)
    else phrases.push([word])
  }
  return phrases.map((phrase) => phrase.join(' '))
}

// Whether a negation stands before a word within its clause.
function isDenied(words: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && !endsClause(words[i]!); i--)
    if (negations.has(words[i]!.toLowerCase())) return true
  return false
}
