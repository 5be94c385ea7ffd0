import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { openSafetensors, readJsonObject } from 'contrafact/checkpoint'
import type { AttributeValue } from 'contrafact/core'
import type { StableDiffusion } from 'contrafact/models'
import {
  type Answerer,
  type AttributeCode,
  answerByEditor,
  answerByScm,
  type CausalGraph,
  causalGraph,
  type HvaeMechanismOptions,
  hvaeConfig,
  hvaeMechanism,
  loadHvae,
} from 'contrafact/scm'
import { type EditSettings, editPicture } from '../support/edit-picture.js'
import { type AttributeName, type Attributes, GRAPH, type Patient } from './causal-graph.js'
import { encodeAttribute, type Telling, TOLD } from './scm-data.js'
import { graphOf } from './scm-graph.js'

// The two rivals as answerers of the same questions.

/** Where the trained baselines lie. */
export const SCM_FOLDER = join(import.meta.dirname, 'scm')

/** A trained baseline; the caller disposes of the graph. */
export async function loadScm(
  telling: Telling,
  options: HvaeMechanismOptions = {},
  folder = SCM_FOLDER,
): Promise<CausalGraph> {
  const { config } = await readJsonObject(join(folder, `${telling}.json`))
  const picture = await loadHvae(join(folder, `${telling}.safetensors`), hvaeConfig(config))
  const attributes = graphOf(telling)
  const file = await openSafetensors(join(folder, `${telling}-attributes.safetensors`))
  const weights = new Map<string, tf.Tensor>()
  for (const [name, { shape }] of file.entries)
    weights.set(name, tf.tensor((await file.read(name)) as Float32Array, [...shape]))
  await file.close()
  attributes.dispose()
  const image = { parents: [...TOLD[telling]], mechanism: hvaeMechanism(picture, options) }
  return causalGraph({ ...attributes.with(weights).variables, image })
}

const code = (name: AttributeName): AttributeCode => ({
  encode: (value) => encodeAttribute({ [name]: value } as unknown as Attributes, name),
  decode: ([x]) => {
    if (name === 'age') return 50 * (x! + 1)
    if (name === 'sex') return x! > 0.5 ? 'female' : 'male'
    return x! > 0.5
  },
})

const CODES: Readonly<Record<string, AttributeCode>> = Object.fromEntries(
  (['sex', 'age', 'cardiomegaly', 'effusion', 'pacemaker', 'line'] as const).map((name) => [
    name,
    code(name),
  ]),
)

/** The structural causal model as an answerer; what it was not told of is not asked of it. */
export function scmRival(graph: CausalGraph, seed: number): Answerer {
  const answer = answerByScm(graph, { codes: CODES, seed })
  return ({ interventions, ...question }, run) => {
    const known = interventions.filter(({ attribute }) => attribute in graph.variables)
    return answer({ ...question, interventions: known }, run)
  }
}

/** The diffusion editor as an answerer: each intervention is two captions. */
export function diffusionRival(sd: StableDiffusion, settings: EditSettings): Answerer {
  return answerByEditor({
    caption: (attributes) => captionOf(attributes as unknown as Attributes),
    provenance: { ...settings },
    edit: async (grey, source, target, run) => {
      const image = tf.tidy(() => tf.tile(grey, [1, 1, 1, 3]))
      try {
        const { reconstruction, edits } = await editPicture(sd, image, source, [target], settings, run)
        const [{ image: edited, latents }] = edits as [(typeof edits)[number]]
        const [same, other] = [reconstruction, edited].map((rgb) => tf.mean<tf.Tensor4D>(rgb, 3, true))
        tf.dispose([reconstruction, edited, latents])
        return { reconstruction: same!, image: other! }
      } finally {
        image.dispose()
      }
    },
  })
}

/** What is known of a patient; the need of support, which no record holds, for the graph that is told all. */
export function factsOf({ attributes, exogenous }: Patient): Record<string, AttributeValue> {
  return { ...attributes, support: exogenous.support < GRAPH.support }
}

/** The caption that tells everything a caption may. */
function captionOf(a: Attributes): string {
  const facts = [
    [a.cardiomegaly, 'cardiomegaly'],
    [a.pacemaker || a.line, 'support devices'],
    [a.effusion, 'pleural effusion'],
  ] as const
  const [first, second, third] = facts.map(([present, name]) => (present ? name : `no ${name}`))
  return `Chest X-ray of ${a.age}-years old ${a.sex} subject with ${first}, ${second} and ${third}.`
}
