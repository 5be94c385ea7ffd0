import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from 'contrafact/core'
import type { HvaeData } from 'contrafact/training'
import {
  type AttributeName,
  type Attributes,
  type Patient,
  patient,
  type Split,
  seedOf,
} from './causal-graph.js'
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

/** A number in [-1, 1] for an attribute: 1 for female and for present; age from 20 to 90. */
export function encodeAttribute(attributes: Attributes, name: AttributeName): number {
  const value = attributes[name]
  if (name === 'age') return (Number(value) - 55) / 35
  return value === true || value === 'female' ? 1 : -1
}

/** The parents of a patient's picture, `[parents]`. */
export const encodeParents = (attributes: Attributes, telling: Telling): number[] =>
  TOLD[telling].map((name) => encodeAttribute(attributes, name))

/** Pictures and parents of the patients with these indices; owned by the caller. */
export function phantomData(
  indices: readonly number[],
  telling: Telling,
  { split = 'training', size = 64 }: { readonly split?: Split; readonly size?: number } = {},
): HvaeData {
  const patients = indices.map((index) => patient(seedOf(split, index)))
  const pixels = new Float32Array(indices.length * size * size)
  patients.forEach((each, i) => {
    pixels.set(remembered(each, size), i * size * size)
  })
  return {
    x: tf.tensor4d(pixels, [indices.length, size, size, 1]),
    parents: tf.tensor2d(patients.map(({ attributes }) => encodeParents(attributes, telling))),
  }
}

/** How many training phantoms there are: few enough to be drawn once and kept. */
const TRAINING = 4096

/** Training phantoms, a batch a step. */
export const trainingPhantoms =
  (batch: number, telling: Telling) =>
  (_step: number, random: TorchRandom): HvaeData =>
    phantomData(Array.from(random.integers(batch, 0, TRAINING)), telling)

// Drawing takes about as long as learning from what was drawn.
const pictures = new Map<string, Float32Array>()

function remembered(each: Patient, size: number): Float32Array {
  const key = `${each.seed} ${size}`
  const picture = pictures.get(key) ?? draw(each, size)
  pictures.set(key, picture)
  return picture
}
