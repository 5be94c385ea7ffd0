import { type Attributes, GRAPH } from './causal-graph.js'
import { uniforms } from './random.js'

/** One family of captions: its share of the data set and all its true sentences for given attributes. */
export interface CaptionForm {
  readonly name: string
  readonly share: number
  readonly sentences: (attributes: Attributes) => readonly string[]
}

type Finding = 'cardiomegaly' | 'pleural effusion' | 'support devices'
type Facts = readonly (readonly [finding: Finding, present: boolean])[]

// A caption never says which device it is: "support devices" is a pacemaker, a line, or both.
const heartAndDevices = (a: Attributes): Facts => [
  ['cardiomegaly', a.cardiomegaly],
  ['support devices', a.pacemaker || a.line],
]
const allFacts = (a: Attributes): Facts => [...heartAndDevices(a), ['pleural effusion', a.effusion]]

const phrase = ([finding, present]: Facts[number]) => (present ? finding : `no ${finding}`)
const listed = (items: readonly string[]) =>
  items.length < 2 ? items.join() : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

/** Every order of every non-empty selection of facts: what is left out stays unknown to the reader. */
function selections(facts: Facts): Facts[] {
  return facts.flatMap((fact, i) => [
    [fact],
    ...selections(facts.filter((_, j) => j !== i)).map((rest) => [fact, ...rest]),
  ])
}

const present = (a: Attributes) =>
  allFacts(a)
    .filter(([, there]) => there)
    .map(phrase)
const subject = (a: Attributes) => `${a.age}-years old ${a.sex} subject`

/** The forms and their shares, which sum to 1. */
export const CAPTION_FORMS: readonly CaptionForm[] = [
  {
    name: 'heart and devices, both told',
    share: 0.35,
    sentences: (a) => {
      const pairs = selections(heartAndDevices(a)).filter((facts) => facts.length === 2)
      return pairs.flatMap((facts) => {
        const [first, second] = facts.map(phrase)
        return [`Chest X-ray with ${first} and ${second}`, `Chest X-ray with ${first}, ${second}`]
      })
    },
  },
  {
    name: 'heart or devices, one told',
    share: 0.2,
    sentences: (a) => heartAndDevices(a).map((fact) => `Chest X-ray with ${phrase(fact)}`),
  },
  {
    name: 'any findings told or denied',
    share: 0.2,
    sentences: (a) => selections(allFacts(a)).map((facts) => `Chest X-ray with ${listed(facts.map(phrase))}`),
  },
  {
    name: 'one finding denied',
    share: 0.05,
    sentences: (a) =>
      allFacts(a)
        .filter(([, there]) => !there)
        .map(([finding]) => `Chest X-ray without ${finding}`),
  },
  {
    name: 'subject with all findings',
    share: 0.1,
    sentences: (a) => [`Chest X-ray of ${subject(a)} with ${listed(present(a)) || 'no findings'}.`],
  },
  {
    name: 'subject with every finding told or denied',
    share: 0.05,
    sentences: (a) => [`Chest X-ray of ${subject(a)} with ${listed(allFacts(a).map(phrase))}.`],
  },
  {
    name: 'subject alone',
    share: 0.03,
    sentences: (a) => [
      `Chest X-ray of ${subject(a)}.`,
      `Chest X-ray of ${a.age}-years old subject.`,
      `Chest X-ray of ${a.sex} subject.`,
    ],
  },
  {
    name: 'findings shown',
    share: 0.02,
    sentences: (a) =>
      present(a).length
        ? [`Chest X-ray showing ${present(a).join(', ')}`]
        : ['Normal chest X-ray with no significant findings'],
  },
]

/**
 * One true caption: a form by its share, then one of its sentences, all equally likely. A form with nothing to
 * say about these attributes gives way to the first one.
 * @param attributes the picture's attributes
 * @param seed chooses form and sentence; another seed gives the same picture another caption
 */
export function caption(attributes: Attributes, seed: number): string {
  const uniform = uniforms(seed, 2)
  const form = formAt(uniform())
  const sentences = form.sentences(attributes)
  const choice = sentences.length ? sentences : CAPTION_FORMS[0]!.sentences(attributes)
  return choice[Math.floor(uniform() * choice.length)]!
}

/** The form whose part of the unit interval holds a point; parts lie in order and are as long as shares. */
function formAt(point: number): CaptionForm {
  let upTo = 0
  for (const form of CAPTION_FORMS) {
    upTo += form.share
    if (point < upTo) return form
  }
  return CAPTION_FORMS[0]!
}

/** Every caption that any patient can be given, each once, in a fixed order: the corpus of a vocabulary. */
export function allCaptions(): string[] {
  const captions = new Set<string>()
  for (const attributes of everyCombination())
    for (const form of CAPTION_FORMS)
      for (const sentence of form.sentences(attributes)) captions.add(sentence)
  return [...captions]
}

function* everyCombination(): Generator<Attributes> {
  const both = [true, false]
  for (const sex of ['male', 'female'] as const)
    for (let age = GRAPH.age.from; age <= GRAPH.age.to; age++)
      for (const cardiomegaly of both)
        for (const effusion of both)
          for (const line of both) yield { sex, age, cardiomegaly, effusion, pacemaker: false, line }
}
