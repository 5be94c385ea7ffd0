import { articleBefore } from '../clinical/articles.js'
import type { LanceKind } from '../language-model/instructions.js'
import type { NaturalLexicon, WordGroup } from './lexicon.js'

/** All captions that a kind of change makes of a caption. */
export type NaturalRule = (caption: string, lexicon: NaturalLexicon) => readonly string[]

/** One rule for each of LANCE's kinds. */
export const naturalRules: Readonly<Record<LanceKind, NaturalRule>> = {
  subject: (caption, { subjects }) => {
    const hits = wordsIn(caption, subjects)
    return hits.length === 0 ? [] : replaceAt(caption, hits[0]!)
  },
  object: (caption, { objects }) => wordsIn(caption, objects).flatMap((hit) => replaceAt(caption, hit)),
  adjective: (caption, { adjectives, subjects }) => {
    const hits = wordsIn(caption, adjectives)
    if (hits.length > 0) return hits.flatMap((hit) => replaceAt(caption, hit))
    const noun = wordsIn(caption, subjects)[0]
    const [colours = []] = adjectives
    return noun ? colours.map((word) => splice(caption, noun.start, noun.start, `${word} `)) : []
  },
  background: (caption, { backgrounds, weathers }) =>
    phrases(
      caption,
      backgrounds.filter((place) => !weathers.includes(place)),
    ),
  weather: (caption, { weathers }) => phrases(caption, weathers),
  domain: (caption, { domains }) => {
    const known = [...domains].sort((a, b) => b.length - a.length)
    const opening = known.find((kind) => caption.toLowerCase().startsWith(`${kind} of `))
    const rest = opening ? caption.slice(opening.length + 4) : lowerFirst(caption)
    const isCapital = /^\p{Lu}/u.test(caption)
    return domains
      .filter((kind) => kind !== opening)
      .map((kind) => `${isCapital ? upperFirst(kind) : kind} of ${rest}`)
  },
}

interface Hit {
  readonly start: number
  readonly end: number
  readonly others: readonly string[]
}

// Words of some groups in a caption, in its order, each with what may stand for it in the same number.
function wordsIn(caption: string, groups: readonly WordGroup[]): Hit[] {
  return [...caption.matchAll(/[\p{L}\p{M}]+/gu)].flatMap(({ 0: word, index: start }) => {
    const found = groups.find((group) => group.some((forms) => forms.split('/').includes(word.toLowerCase())))
    if (!found) return []
    const own = found.find((forms) => forms.split('/').includes(word.toLowerCase()))!
    const isPlural = own.split('/')[0] !== word.toLowerCase()
    const others = found
      .filter((forms) => forms !== own)
      .map((forms) => forms.split('/')[isPlural ? 1 : 0] ?? forms)
    const alike = /^\p{Lu}/u.test(word) ? others.map(upperFirst) : others
    return [{ start, end: start + word.length, others: alike }]
  })
}

const replaceAt = (caption: string, { start, end, others }: Hit) =>
  others.map((word) => splice(caption, start, end, word))

// Replaces a stretch; an article before it agrees with what follows.
function splice(caption: string, start: number, end: number, words: string): string {
  const before = caption.slice(0, start)
  const after = words + caption.slice(end)
  const agreed = before.replace(/\b(a)n?(\s+)$/i, (_, a: string, space: string) => {
    return (a === 'A' ? upperFirst(articleBefore(after)) : articleBefore(after)) + space
  })
  return agreed + after
}

// A phrase of the list replaced by each other one; without one, each is added at the end.
function phrases(caption: string, list: readonly string[]): string[] {
  const known = list.find((phrase) => new RegExp(`\\b${escapeRegExp(phrase)}\\b`, 'i').test(caption))
  if (known) {
    const at = new RegExp(`\\b${escapeRegExp(known)}\\b`, 'i')
    return list.filter((phrase) => phrase !== known).map((phrase) => caption.replace(at, () => phrase))
  }
  const [, body, end] = /^([\s\S]*?)([.!?]?\s*)$/.exec(caption)!
  return list.map((phrase) => `${body} ${phrase}${end}`)
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
// "A dog" opens in small letters within a sentence; a name or an abbreviation does not.
const lowerFirst = (text: string) =>
  /^(A|An|The|Two|Three|Some|Several|Many)\b/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
