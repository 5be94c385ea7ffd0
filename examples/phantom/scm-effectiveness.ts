import * as tf from '@tensorflow/tfjs'
import { torchRandn } from 'contrafact/core'
import { rocAuc } from 'contrafact/metrics'
import { type Hvae, hvaeCounterfactual, torchNoise } from 'contrafact/scm'
import type { Attributes, Patient } from './causal-graph.js'
import { type Detection, detectImages } from './detectors.js'
import { encodeParents, pictures, type Telling } from './scm-data.js'

/** The four questions: each patient gets the other sex, heart, angle, or 35 years more or fewer. */
export const QUESTIONS = {
  sex: (a: Attributes): Partial<Attributes> => ({ sex: a.sex === 'male' ? 'female' : 'male' }),
  cardiomegaly: (a: Attributes): Partial<Attributes> => ({ cardiomegaly: !a.cardiomegaly }),
  effusion: (a: Attributes): Partial<Attributes> => ({ effusion: !a.effusion }),
  age: (a: Attributes): Partial<Attributes> => ({ age: a.age < 55 ? a.age + 35 : a.age - 35 }),
} as const

/** The name of a question. */
export type Question = keyof typeof QUESTIONS

/** What a detector says of a question, and what it should say: a score and 0 or 1, or two ages. */
export function verdict(seen: Detection, to: Attributes, question: Question): readonly [number, number] {
  if (question === 'age') return [seen.age, to.age]
  if (question === 'sex') return [seen.female, Number(to.sex === 'female')]
  return [seen[question], Number(to[question])]
}

/** AUC of the detectors on counterfactuals of these patients, and the mean error of age in years. */
export async function effectivenessOf(
  model: Hvae,
  telling: Telling,
  patients: readonly Patient[],
  residual = 1,
): Promise<Record<Question, number>> {
  const found = {} as Record<Question, number>
  for (const question of Object.keys(QUESTIONS) as Question[]) {
    const to = patients.map(({ attributes }) => ({ ...attributes, ...QUESTIONS[question](attributes) }))
    const image = tf.tidy(() => {
      const [x, from, others] = [pictures(patients), parents(patients.map((p) => p.attributes)), parents(to)]
      return hvaeCounterfactual(model, x, from, others, { draw: torchNoise(torchRandn(1)), residual }).image
    })
    const seen = await detectImages(image)
    image.dispose()
    const pairs = seen.map((each, i) => verdict(each, to[i]!, question))
    found[question] =
      question === 'age'
        ? pairs.reduce((sum, [is, should]) => sum + Math.abs(is - should), 0) / pairs.length
        : rocAuc(
            pairs.map(([score]) => score),
            pairs.map(([, label]) => label === 1),
          )
  }
  return found

  function parents(attributes: readonly Attributes[]): tf.Tensor2D {
    return tf.tensor2d(attributes.map((each) => encodeParents(each, telling)))
  }
}
