import fc from 'fast-check'
import { articleBefore } from '../../src/lance/clinical/articles.js'
import {
  CHEXPERT_FINDINGS,
  type ClinicalAttributes,
  type ClinicalFinding,
  DEVICES,
  type FindingName,
} from '../../src/lance/clinical/attributes.js'
import { contradictions } from '../../src/lance/clinical/consistency.js'
import { FINDINGS, pluralOf } from '../../src/lance/clinical/lexicon.js'

const names = [...CHEXPERT_FINDINGS, ...DEVICES].filter((name) => name !== 'no finding')

/** A finding told or denied, with a grade and a side where these make sense. */
const finding = (name: FindingName): fc.Arbitrary<ClinicalFinding> =>
  fc
    .record({
      present: fc.boolean(),
      severity: FINDINGS[name].grades.length
        ? fc.option(fc.constantFrom(...FINDINGS[name].grades), { nil: undefined })
        : fc.constant(undefined),
      laterality: FINDINGS[name].sided
        ? fc.option(fc.constantFrom('left', 'right', 'bilateral' as const), { nil: undefined })
        : fc.constant(undefined),
    })
    .map(({ present, severity, laterality }) => ({
      name,
      present,
      ...(present && severity && { severity }),
      ...(present && laterality && { laterality: laterality as 'left' }),
    }))

const findings = fc.oneof(
  { weight: 1, arbitrary: fc.constant([{ name: 'no finding', present: true } as ClinicalFinding]) },
  {
    weight: 6,
    arbitrary: fc
      .shuffledSubarray(names, { maxLength: 5 })
      .chain((some) => fc.tuple(...some.map(finding)))
      .filter((list) => contradictions(list).length === 0),
  },
)

/** What a caption may say, without contradictions. */
export const attributes: fc.Arbitrary<ClinicalAttributes> = fc
  .record(
    {
      age: fc.integer({ min: 0, max: 110 }),
      sex: fc.constantFrom('male', 'female'),
      race: fc.constantFrom('white', 'black', 'Asian', 'Hispanic', 'Native American', 'Pacific Islander'),
      view: fc.constantFrom('PA', 'AP', 'lateral', 'frontal'),
    },
    { requiredKeys: [] },
  )
  .chain((subject) => findings.map((list) => ({ ...subject, findings: list }) as ClinicalAttributes))

/** Attributes and one way among many to say them, as people write. */
export const worded = fc
  .tuple(attributes, fc.infiniteStream(fc.nat(1e6)))
  .map(([said, stream]) => ({ said, text: inSomeWords(said, stream) }))

function inSomeWords(said: ClinicalAttributes, stream: Iterator<number>): string {
  const pick = <T>(...options: readonly T[]): T => options[stream.next().value! % options.length]!
  const { age, sex, race, view } = said
  const years =
    age === undefined ? [] : [pick(`${age}-years old`, `${age} year old`, `${age}-year-old`, `${age} y/o`)]
  const person = sex === undefined ? pick('subject', 'patient') : undefined
  const noun = person ?? pick(`${sex} subject`, `${sex} patient`, sex === 'male' ? 'man' : 'woman', sex)
  const hasSubject = age !== undefined || sex !== undefined || race !== undefined
  const words = [...years, ...(race ? [race] : []), noun].join(' ')
  const subject = hasSubject ? ` ${pick('of', 'from')} ${words}` : ''
  const picture = pick('X-ray', 'x-ray', 'radiograph', 'xray', 'X-Ray')
  const before = view === undefined ? '' : `${view} `
  const opening =
    view !== undefined && pick(true, false) ? `Chest ${picture}, ${view} view,` : `${before}chest ${picture}`
  const told = said.findings.map((one) => inSomeWordsOne(one, pick))
  if (told.length === 0) return `${opening}${subject}${pick('.', '')}`
  const link = pick('with', 'showing', 'demonstrating', 'with')
  const [between, last] = pick(
    [', ', ' and '],
    [', ', ', and '],
    [', ', ', '],
    [' and ', ' and '],
    [', ', ' but '],
  )
  const list = told.length < 2 ? told.join() : `${told.slice(0, -1).join(between)}${last}${told.at(-1)}`
  return `${opening}${subject} ${link} ${list}${pick('.', '')}`
}

function inSomeWordsOne(
  { name, present, severity, laterality }: ClinicalFinding,
  pick: <T>(...options: readonly T[]) => T,
): string {
  if (name === 'no finding') return pick('no findings', 'no significant findings', 'no acute abnormality')
  const noun = pick(...FINDINGS[name].nouns).split('/')[0]!
  if (!present) return `${pick('no', 'no', 'no visible')} ${noun}`
  const side =
    laterality && (laterality === 'bilateral' ? laterality : pick(laterality, `${laterality}-sided`))
  const isMany = laterality === 'bilateral'
  const words = [severity, side, isMany ? pluralOf(noun) : noun].filter(Boolean).join(' ')
  return isMany ? words : pick(words, `${articleBefore(words)} ${words}`, `acute ${words}`)
}
