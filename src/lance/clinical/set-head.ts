import { articleBefore } from './articles.js'
import type { HeadPiece } from './attributes.js'
import { SEX_WORDS } from './head-phrases.js'

/**
 * The head with one attribute said otherwise; the words around it stay, articles agree.
 *
 * @param head - pieces of the caption before its findings
 * @param slot - which attribute
 * @param value - its new value
 */
export function setHead(
  head: readonly HeadPiece[],
  slot: 'age' | 'sex' | 'race' | 'view',
  value: string | number,
): HeadPiece[] {
  return agreeArticles(
    head.map((piece) => (piece.slot === slot ? { slot, text: reword(piece.text, slot, value) } : piece)),
  )
}

/** The head without the word that says that nothing was found. */
export function dropNormal(head: readonly HeadPiece[]): HeadPiece[] {
  const at = head.findIndex(({ slot }) => slot === 'normal')
  if (at < 0) return [...head]
  const isVerb = /^\s*is$/i.test(head[at - 1]?.text ?? '')
  const before = head.slice(0, isVerb ? at - 1 : at)
  const after = head.slice(at + 1)
  if (before.length > 0 || after.length === 0) return agreeArticles([...before, ...after])
  const [first, ...rest] = after
  const text = first!.text.trimStart()
  return [{ ...first!, text: text.charAt(0).toUpperCase() + text.slice(1) }, ...rest]
}

function agreeArticles(head: readonly HeadPiece[]): HeadPiece[] {
  return head.map((piece, i) => {
    const next = head[i + 1]?.text
    if (piece.slot !== 'article' || next === undefined || !/\ban?$/i.test(piece.text)) return piece
    const agreed = articleBefore(next)
    const isCapital = /A/.test(piece.text)
    const word = isCapital ? agreed.replace('a', 'A') : agreed
    return { ...piece, text: piece.text.replace(/\ban?$/i, word) }
  })
}

function reword(text: string, slot: string, value: string | number): string {
  const [gap, word] = [/^[^\p{L}\p{N}]*/u.exec(text)![0], text.replace(/^[^\p{L}\p{N}]*/u, '')]
  if (slot === 'age') return text.replace(/\d+/, String(value))
  if (slot === 'sex') {
    const pair = SEX_WORDS.find((words) => words.includes(word.toLowerCase()))!
    return gap + likeCase(word, pair[value === 'male' ? 0 : 1]!)
  }
  const isFirst = gap === '' && /^\p{Lu}/u.test(word)
  if (slot === 'view' && /^[a-z]{2}$/.test(word)) return gap + String(value).toLowerCase()
  return gap + (isFirst || isTitled(word, slot) ? capital(String(value)) : String(value))
}

// "White" among races that are written small was meant as a title.
const isTitled = (word: string, slot: string) => slot === 'race' && /^(White|Black|Caucasian)/.test(word)
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const likeCase = (model: string, word: string) => {
  if (model === model.toUpperCase()) return word.toUpperCase()
  return /^\p{Lu}/u.test(model) ? capital(word) : word
}
