const functional = new Set(
  'a an the and or nor but of in on at to for from by with without no not never is are was were be as that this'.split(
    ' ',
  ),
)

/** Whether a word only holds others together: articles, prepositions, conjunctions, negations. Case is ignored. */
export function isFunctionWord(word: string): boolean {
  return functional.has(word.toLowerCase())
}
