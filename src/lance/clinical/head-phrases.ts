import type { HeadPiece, Race, Sex, View } from './attributes.js'
import { type PhraseMatcher, phraseMatcher, wordMatcher } from './phrase-matcher.js'

const all = <T>(value: T, phrases: string) => phrases.split(', ').map((phrase) => [phrase, value] as const)

/** What makes a caption one of an X-ray. */
export const imaging = wordMatcher(
  'x ray, x rays, xray, xrays, x ray image, x ray scan, x ray film, xray image, xray scan, radiograph, radiographs, ' +
    'radiography, radiogram, cxr, roentgenogram, plain film, film, chest film, radiographic image',
)

/** Words around it that say nothing that the grammar keeps. */
export const quiet = wordMatcher(
  'chest, thorax, thoracic, of, from, for, in, is, this is, this, here is, image, picture, photo, photograph, scan, ' +
    'view, views, projection, projections, position, portable, bedside, supine, erect, upright, semi erect, sitting, ' +
    'digital, single, the chest, taken, obtained, acquired, belonging to, who is, who, subject, patient, person, ' +
    'individual, adult, s, years, with age, and, :',
)

/** Words that say that nothing was found. */
export const normal = wordMatcher('normal, unremarkable, clear, negative')

/** Articles. */
export const article = wordMatcher('a, an, the')

/** Words of sex; each pair is male, female. */
export const SEX_WORDS: readonly (readonly [string, string])[] = [
  ['male', 'female'],
  ['man', 'woman'],
  ['gentleman', 'lady'],
  ['boy', 'girl'],
  ['m', 'f'],
]

/** Sex. */
export const sex: PhraseMatcher<Sex> = phraseMatcher(
  SEX_WORDS.flatMap(([male, female]) => [[male, 'male'] as const, [female, 'female'] as const]),
)

/** Race. */
export const race: PhraseMatcher<Race> = phraseMatcher([
  ...all<Race>('white', 'white, caucasian, european american'),
  ...all<Race>('black', 'black, african american, black or african american, black african american'),
  ...all<Race>('Asian', 'asian, asian american'),
  ...all<Race>('Hispanic', 'hispanic, latino, latina, hispanic latino, hispanic or latino'),
  ...all<Race>('Native American', 'native american, american indian, american indian or alaska native'),
  ...all<Race>(
    'Pacific Islander',
    'pacific islander, native hawaiian, native hawaiian or other pacific islander',
  ),
])

/** View. */
export const view: PhraseMatcher<View> = phraseMatcher([
  ...all<View>('PA', 'pa, p a, posteroanterior, postero anterior, posterior anterior, posterior to anterior'),
  ...all<View>('AP', 'ap, a p, anteroposterior, antero posterior, anterior posterior, anterior to posterior'),
  ...all<View>('lateral', 'lateral, left lateral, right lateral'),
  ...all<View>('frontal', 'frontal'),
])

/** What follows the number of an age. */
export const years = wordMatcher(
  'years old, year old, years of age, year of age, yrs old, yr old, yo, y o, y, yr, yrs, years, year',
)

/** What goes before the number of an age. */
export const aged = wordMatcher('aged, age, age of, at age, at the age of, aged about')

/** Which attribute a matcher of the head reads. */
export type HeadSlot = NonNullable<HeadPiece['slot']>
