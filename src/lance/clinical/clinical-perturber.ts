import {
  ArgumentError,
  type AttributeValue,
  ContrafactError,
  expectNumber,
  torchRandn,
} from '../../core/index.js'
import { distinct, type Perturbation, perturbation } from '../perturbation.js'
import type { ClinicalCaption, FindingName, Race, View } from './attributes.js'
import { saidAttributes, saidValue } from './differences.js'
import { findingOf, intervene } from './intervene.js'
import { FINDINGS, isDevice } from './lexicon.js'
import { parseCaption } from './parse-caption.js'

/** The kinds of perturbation of {@link clinicalPerturber}. */
export type ClinicalKind = 'finding' | 'device' | 'severity' | 'laterality' | 'age' | 'sex' | 'race' | 'view'

/** Options of {@link clinicalPerturber}. */
export interface ClinicalPerturberOptions {
  /** Kinds to make; all. */
  readonly kinds?: readonly ClinicalKind[]
  /**
   * Attributes to change, e.g. `['age', 'cardiomegaly']`; all that apply. A caption that lacks one of them, where it
   * cannot be added, is refused.
   */
  readonly attributes?: readonly string[]
  /** Findings to add where a caption leaves them out; those of the paper's figures. */
  readonly add?: readonly FindingName[]
  /** Whether to leave findings out too, not only to deny them; false. */
  readonly leaveOut?: boolean
  /** Ages to set; 25, 40, 55, 70 and 85. */
  readonly ages?: readonly number[]
  /** Races to set; white, black and Asian. */
  readonly races?: readonly Race[]
  /** Views to set; PA and AP. */
  readonly views?: readonly View[]
  /** `'in-place'` (default), or `'figure-3'`, which says the changed attribute alone; see {@link intervene}. */
  readonly style?: 'in-place' | 'figure-3'
  /** Draws this many of all, without repeats, instead of all; needs {@link ClinicalPerturberOptions.seed}. */
  readonly count?: number
  /** Seed of the draw; 0. */
  readonly seed?: number
}

/** A perturber of X-ray captions: synchronous, and the same for the same options. */
export type ClinicalPerturber = (caption: string) => readonly Perturbation[]

/**
 * Perturbs X-ray captions by grammar: reads a caption, says one attribute otherwise, and leaves all other words as they
 * were. Never a contradiction, never two changes at once; every result can be read again.
 *
 * ```ts
 * const perturb = clinicalPerturber({ kinds: ['finding', 'device'], add: [] })
 * perturb('Chest X-ray with cardiomegaly and support devices').map(({ target }) => target)
 * // ['Chest X-ray with no cardiomegaly and support devices', 'Chest X-ray with cardiomegaly and no support devices']
 * ```
 *
 * @param options - what to change, and to what
 * @returns a function of a caption. It throws CaptionError when the caption cannot be read, and ArgumentError when the
 * caption lacks an attribute that was asked for by name.
 * @throws ArgumentError on a count or seed out of range
 */
export function clinicalPerturber(options: ClinicalPerturberOptions = {}): ClinicalPerturber {
  const { style = 'in-place', count, seed = 0, attributes } = options
  if (count !== undefined) expectNumber(count, { min: 1, integer: true }, 'clinicalPerturber', 'count')
  expectNumber(seed, { min: 0, integer: true }, 'clinicalPerturber', 'seed')
  return (source) => {
    const read = parseCaption(source)
    if (attributes) expectSaid(read, attributes, options.add ?? paperFindings)
    const made = changesOf(read, options).flatMap(({ kind, attribute, to }) => {
      try {
        const { caption: target, intervention } = intervene(read, attribute, to, { style })
        const provenance = { perturber: 'clinical', style, ...(count !== undefined && { seed }) }
        return [perturbation({ kind, source, target, intervention, provenance })]
      } catch (error) {
        // What would contradict the rest of the caption, or change nothing, does not apply to it.
        if (error instanceof ContrafactError && error.code === 'argument') return []
        throw error
      }
    })
    const all = distinct(made)
    return count === undefined ? all : draw(all, count, seed)
  }
}

const paperFindings: readonly FindingName[] = ['cardiomegaly', 'pleural effusion', 'support devices']

interface Change {
  readonly kind: ClinicalKind
  readonly attribute: string
  readonly to: AttributeValue | null
}

function changesOf(read: ClinicalCaption, options: ClinicalPerturberOptions): Change[] {
  const { ages = [25, 40, 55, 70, 85], races = ['white', 'black', 'Asian'], views = ['PA', 'AP'] } = options
  const { add = paperFindings, leaveOut = false, kinds, attributes } = options
  const values: Readonly<Record<string, readonly AttributeValue[]>> = {
    age: ages,
    sex: ['male', 'female'],
    race: races,
    view: views,
  }
  const said = read.findings.filter(({ name }) => name !== 'no finding')
  const ofFinding = (name: FindingName, to: boolean | null): Change => ({
    kind: isDevice(name) ? 'device' : 'finding',
    attribute: name,
    to,
  })
  const missing = add.filter((name) => !said.some((finding) => finding.name === name))
  const all: Change[] = [
    ...said.map(({ name, present }) => ofFinding(name, !present)),
    ...missing.map((name) => ofFinding(name, true)),
    ...(leaveOut ? said.map(({ name }) => ofFinding(name, null)) : []),
    ...said.flatMap(({ name, severity, laterality }) => [
      ...(severity ? FINDINGS[name].grades : []).map((to) => part('severity', name, to)),
      ...(laterality ? ['left', 'right', 'bilateral'] : []).map((to) => part('laterality', name, to)),
    ]),
    ...(['age', 'sex', 'race', 'view'] as const).flatMap((kind) =>
      saidValue(read, kind) === null ? [] : values[kind]!.map((to) => ({ kind, attribute: kind, to })),
    ),
  ]
  return all.filter(
    ({ kind, attribute }) => (kinds?.includes(kind) ?? true) && (attributes?.includes(attribute) ?? true),
  )
}

const part = (kind: 'severity' | 'laterality', name: FindingName, to: string): Change => ({
  kind,
  attribute: `${name} ${kind}`,
  to,
})

function expectSaid(read: ClinicalCaption, wanted: readonly string[], add: readonly FindingName[]): void {
  const said = saidAttributes(read)
  const lacking = wanted.find((attribute) => {
    const found = findingOf(attribute)
    const canBeAdded = found !== undefined && !found.part && add.includes(found.name)
    return !canBeAdded && !said.includes(attribute)
  })
  if (lacking === undefined) return
  throw new ArgumentError({
    rule: `clinicalPerturber needs a caption that says ${lacking}`,
    got: `one that says ${said.join(', ') || 'nothing'}`,
    mend: 'Choose among those, or put a finding into `add`.',
  })
}

// The first places of a shuffle, in the order of the whole list.
function draw<T>(all: readonly T[], count: number, seed: number): T[] {
  const keys = torchRandn(seed).uniform(all.length)
  const order = [...all.keys()].sort((a, b) => keys[a]! - keys[b]! || a - b)
  return order
    .slice(0, count)
    .sort((a, b) => a - b)
    .map((i) => all[i]!)
}
