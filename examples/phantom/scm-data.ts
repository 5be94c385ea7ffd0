import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from 'contrafact/core'
import type { Values } from 'contrafact/scm'
import type { HvaeData } from 'contrafact/training'
import { type AttributeName, type Attributes, GRAPH, type Patient, training } from './causal-graph.js'
import { draw } from './draw.js'

/** What the structural causal model is told of the phantoms: its image's parents, in order. */
export const TOLD = {
  /** The graph as a hospital's records would have it: nobody writes down the pacemaker. */
  told: ['sex', 'age', 'cardiomegaly', 'effusion', 'line'],
  /** Every arrow into the picture. */
  truth: ['sex', 'age', 'cardiomegaly', 'effusion', 'line', 'pacemaker'],
} as const satisfies Record<string, readonly AttributeName[]>

/** The name of one of the two models. */
export type Telling = keyof typeof TOLD

/** Years to the unit that the graphs use, as causal-gen has it: age / 50 - 1. */
export const ageUnit = (years: number): number => years / 50 - 1

/** An attribute as the graphs write it: 1 for female and for present, age by {@link ageUnit}. */
export function encodeAttribute(attributes: Attributes, name: AttributeName): number {
  const value = attributes[name]
  if (name === 'age') return ageUnit(Number(value))
  return Number(value === true || value === 'female')
}

/** The parents of a patient's picture, `[parents]`. */
export const encodeParents = (attributes: Attributes, telling: Telling): number[] =>
  TOLD[telling].map((name) => encodeAttribute(attributes, name))

/**
 * Patients as the graph's variables, `[patients, 1]` each; owned by the caller.
 * @param names which variables, the need of support included
 */
export function patientValues(patients: readonly Patient[], names: readonly string[]): Values {
  const column = (name: string) =>
    patients.map(({ attributes, exogenous }) =>
      name === 'support'
        ? Number(exogenous.support < GRAPH.support)
        : encodeAttribute(attributes, name as AttributeName),
    )
  return Object.fromEntries(names.map((name) => [name, tf.tensor2d(column(name), [patients.length, 1])]))
}

/** Pictures of patients, `[patients, size, size, 1]` in [0, 1]; owned by the caller. */
export function pictures(patients: readonly Patient[], size = 64): tf.Tensor4D {
  const pixels = new Float32Array(patients.length * size * size)
  patients.forEach((each, i) => {
    pixels.set(remembered(each, size), i * size * size)
  })
  return tf.tensor4d(pixels, [patients.length, size, size, 1])
}

/** How many training phantoms there are: few enough to be drawn once and kept. */
const TRAINING = 4096

const batchOf = (size: number, random: TorchRandom): Patient[] =>
  Array.from(random.integers(size, 0, TRAINING), (index) => training(index))

/** Training phantoms with the parents of their pictures, a batch a step. */
export const trainingPhantoms =
  (batch: number, telling: Telling) =>
  (_step: number, random: TorchRandom): HvaeData => {
    const patients = batchOf(batch, random)
    const parents = patients.map(({ attributes }) => encodeParents(attributes, telling))
    return { x: pictures(patients), parents: tf.tensor2d(parents) }
  }

/** The same as a graph's variables, the picture as `image`. */
export const trainingValues =
  (batch: number, names: readonly string[]) =>
  (_step: number, random: TorchRandom): Values => {
    const patients = batchOf(batch, random)
    return { ...patientValues(patients, names), image: pictures(patients) }
  }

// Drawing takes about as long as learning from what was drawn.
const drawn = new Map<string, Float32Array>()

function remembered(each: Patient, size: number): Float32Array {
  const key = `${each.seed} ${size} ${Object.values(each.attributes)}`
  const picture = drawn.get(key) ?? draw(each, size)
  drawn.set(key, picture)
  return picture
}
