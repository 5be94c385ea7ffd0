import { spell } from './byte-alphabet.js'

/** A character with its accents, as the tokenizer compares it. */
export interface Glyph {
  /** NFC and lower case; one space for a run of white space. */
  readonly text: string
  /** Where it starts in the prompt, in UTF-16 units. */
  readonly start: number
}

// NFC composes marks with the base before them, and the jamo of one Hangul syllable; nothing else.
const cluster =
  /\p{White_Space}+|(?:[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]|\P{M})\p{M}*|\p{M}+/gu
const whiteSpace = /^\p{White_Space}/u

/** Splits a prompt into the pieces that normalise independently. */
export function glyphsOf(prompt: string): Glyph[] {
  return Array.from(prompt.matchAll(cluster), ({ 0: raw, index }) => {
    if (whiteSpace.test(raw)) return { text: ' ', start: index }
    // Character by character, because the lower case of a whole string has a rule for the final sigma.
    const lower = Array.from(raw.normalize('NFC'), (character) => character.toLowerCase())
    return { text: lower.join(''), start: index }
  })
}

/** A text as its tokens spell it: normalised, in the byte alphabet, without white space. */
export function spellingOf(text: string): string {
  return spell(glyphsOf(text).map(withoutSpace).join(''))
}

const withoutSpace = ({ text }: Glyph) => (text === ' ' ? '' : text)

/**
 * Which tokens spell which glyph. A token of several glyphs is listed with each, and a glyph of several
 * tokens (an emoji is four bytes) lists them all.
 *
 * @param spellings - of the tokens in order, see {@link spellingOf}
 * @returns for each glyph, indices into `spellings`; empty for white space and for what no token reaches
 */
export function tokensOfGlyphs(glyphs: readonly Glyph[], spellings: readonly string[]): number[][] {
  const tokens = glyphs.map((): number[] => [])
  const spelled = glyphs.map((glyph) => spell(withoutSpace(glyph)))
  const owner = spelled.flatMap((symbols, glyph) => Array.from(symbols, () => glyph))
  const whole = spelled.join('')
  let at = 0
  for (const [token, spelling] of spellings.entries()) {
    // The unknown token is not spelt like the text: it stands for one symbol.
    const width = whole.startsWith(spelling, at) ? spelling.length : 1
    for (const glyph of new Set(owner.slice(at, at + width))) tokens[glyph]!.push(token)
    at += width
  }
  return tokens
}
