import type { FindingName, Laterality } from './attributes.js'
import { NOUNS } from './lexicon.js'
import { type PhraseMatcher, phraseMatcher, wordMatcher } from './phrase-matcher.js'

const all = <T>(value: T, phrases: string) => phrases.split(', ').map((phrase) => [phrase, value] as const)

/** Words that lead to findings: told, or denied as long as nothing else is said. */
export const link: PhraseMatcher<boolean> = phraseMatcher([
  ...all(
    true,
    'with, showing, shows, show, demonstrating, demonstrates, revealing, reveals, indicating, which shows, ' +
      'that shows, having, has, who has, and has, there is, there are, positive for, depicting, displaying, ' +
      'with evidence of, showing evidence of, with signs of, with findings of, exhibiting, presenting with, ' +
      'with presence of, with the presence of, featuring, findings include, findings are, findings, impression',
  ),
  ...all(
    false,
    'without, without evidence of, without any evidence of, without signs of, negative for, free of, free from, ' +
      'without any, lacking, with absence of, with the absence of, absence of, devoid of, with neither, neither',
  ),
])

/** Negations of one finding; `true` where they reach over `and` and commas to what follows. */
export const cue: PhraseMatcher<boolean> = phraseMatcher([
  ...all(false, 'no, not any, no visible, no definite, no obvious, not, no new, no clear'),
  ...all(
    true,
    'no evidence of, no signs of, no sign of, no evidence for, no indication of, no indications of, ' +
      'no radiographic evidence of, no presence of, no acute evidence of, no signs or evidence of',
  ),
])

/** Between findings. `'or'` hands a negation on; `'but'` ends it. */
export const joint: PhraseMatcher<'and' | 'or' | 'but'> = phraseMatcher([
  ...all('and' as const, ';, and, &, +, plus, as well as, along with, together with, also, in addition to'),
  [',', 'and'],
  ...all('or' as const, 'or, nor, and or'),
  ...all('but' as const, '., but, however, though, although, while, yet'),
])

const grades =
  'trace, tiny, minimal, slight, small, mild, moderate, large, marked, severe, massive, extensive, borderline'
const adverbs: Readonly<Record<string, string>> = {
  minimal: 'minimally',
  slight: 'slightly',
  mild: 'mildly',
  moderate: 'moderately',
  marked: 'markedly',
  severe: 'severely',
  massive: 'massively',
}

/** Severity, by its adjective. */
export const severity: PhraseMatcher<string> = phraseMatcher([
  ...grades
    .split(', ')
    .flatMap((grade) => [
      [grade, grade] as const,
      [`${grade} sized`, grade] as const,
      ...(adverbs[grade] ? [[adverbs[grade], grade] as const] : []),
    ]),
  ...['mild to moderate', 'moderate to severe', 'small to moderate', 'moderate to large'].map(
    (range) => [range, range] as const,
  ),
  ['moderately severe', 'moderate to severe'],
])

/** The adverb of a severity, for nouns that begin with a participle: `mildly enlarged heart`. */
export function adverbOf(grade: string): string {
  return grade
    .split(' to ')
    .map((word) => adverbs[word] ?? word)
    .join(' to ')
}

/** Side, before the noun. */
export const laterality: PhraseMatcher<Laterality> = phraseMatcher([
  ...all<Laterality>('left', 'left, left sided'),
  ...all<Laterality>('right', 'right, right sided'),
  ...all<Laterality>('bilateral', 'bilateral, bilaterally, both sided, left and right, right and left'),
])

/** Side, after the noun. */
export const sideAfter: PhraseMatcher<Laterality> = phraseMatcher(
  (['left', 'right'] as const)
    .flatMap((side) =>
      all<Laterality>(
        side,
        `on the ${side}, on the ${side} side, in the ${side} lung, of the ${side} lung, at the ${side} base, ` +
          `in the ${side} hemithorax, on ${side}, on ${side} side`,
      ),
    )
    .concat(
      all<Laterality>('bilateral', 'bilaterally, on both sides, in both lungs, of both lungs, at both bases'),
    ),
)

/** Part of the lung, kept as it was worded. */
export const zone = wordMatcher(
  'upper lobe, middle lobe, lower lobe, upper lung, lower lung, mid lung, basilar, basal, basilar lung, apical, ' +
    'lingular, perihilar, hilar, retrocardiac, lung base, base, upper zone, lower zone, mid zone, apex',
)

/** Words beside a finding that say nothing that the grammar keeps. */
export const filler = wordMatcher(
  'a, an, the, any, some, acute, significant, chronic, new, stable, focal, diffuse, multiple, several, lots of, ' +
    'many, visible, evident, patchy, known, subtle, presence of, the presence of, evidence of, signs of, major, ' +
    'obvious, other significant',
)

/** Words after a finding: it is there, or it is not. */
export const verdict: PhraseMatcher<boolean> = phraseMatcher([
  ...all(
    true,
    'is present, are present, is seen, are seen, is noted, are noted, is visible, are visible, present, seen, noted, ' +
      'visible, in place, is identified, are identified, in situ, are in place, is in place',
  ),
  ...all(
    false,
    'is absent, are absent, is not seen, are not seen, is not present, are not present, absent, not seen, not present, ' +
      'is not visible, are not visible, not visible',
  ),
])

/** Phrases that deny every finding at once, without a negation. */
export const clear = wordMatcher(
  'normal findings, unremarkable findings, normal, unremarkable, clear lungs, clear lung fields, lungs are clear, ' +
    'normal heart and lungs, the lungs are clear, normal appearance',
)

/** The nouns of all findings. */
export const noun: PhraseMatcher<FindingName> = phraseMatcher(NOUNS)
