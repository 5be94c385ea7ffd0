import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  ArgumentError,
  type AttributeValue,
  type Intervention,
  type RunOptions,
  torchRandn,
} from '../core/index.js'
import type { CausalGraph } from './graph.js'
import type { Action, Values } from './graph-variable.js'

/** What somebody answered to an intervention, whoever it was: metrics and tables take either. Owned by the caller. */
export interface CounterfactualResult {
  /** What was asked. */
  readonly interventions: readonly Intervention[]
  /** Who answered: `'scm'`, `'diffusion'`. */
  readonly method: string
  /** The picture that was asked about, `[1, height, width, channels]` in [0, 1]. */
  readonly factual: Tensor4D
  /** The method's own answer to no intervention, of the same shape: effects are measured against it. */
  readonly reconstruction: Tensor4D
  /** The answer, of the same shape. */
  readonly image: Tensor4D
  /** What the method says the attributes are afterwards; only what it knows. */
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** What is needed to make it again: seed, prompts, settings. */
  readonly provenance: Readonly<Record<string, string | number | boolean>>
}

/** One picture, what is known of it, and what is to be changed. Borrowed. */
export interface Question {
  /** `[1, height, width, channels]` in [0, 1] */
  readonly image: Tensor4D
  /** The attributes of the picture. */
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** What is set; usually one. */
  readonly interventions: readonly Intervention[]
}

/** Anything that answers: an SCM, a diffusion editor, a phantom's generator. */
export type Answerer = (question: Question, options?: RunOptions) => Promise<CounterfactualResult>

/** How one attribute is written in a graph: a value in words or years to a number, and back. */
export interface AttributeCode {
  /** The graph's plain number: a class's index, 0 or 1, a scaled age. */
  encode(value: AttributeValue): number
  /** From the graph's values of one row, `[...event]`. */
  decode(values: readonly number[]): AttributeValue
}

/**
 * Interventions as an action of a graph.
 *
 * @param codes - how attributes are written; `Number(value)` where there is none
 * @throws ArgumentError when two contradict each other, one contradicts the fact, or one sets nothing
 */
export function actionOf(
  interventions: readonly Intervention[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  codes: Readonly<Record<string, AttributeCode>> = {},
): Action {
  const action: Record<string, number> = {}
  const set = new Map<string, AttributeValue>()
  for (const { attribute, from, to } of interventions) {
    if (to === null) throw contradiction('an intervention on a graph sets a value', `do(${attribute} = null)`)
    const known = attributes[attribute]
    if (from !== null && known !== undefined && from !== known) {
      throw contradiction(
        'an intervention starts from the fact',
        `${attribute} from ${from} where it is ${known}`,
      )
    }
    const other = set.get(attribute)
    if (other !== undefined && other !== to) {
      throw contradiction(
        'do(.) sets an attribute once',
        `do(${attribute} = ${other}) and do(${attribute} = ${to})`,
      )
    }
    set.set(attribute, to)
    action[attribute] = codes[attribute]?.encode(to) ?? Number(to)
  }
  return action
}

const contradiction = (rule: string, got: string) =>
  new ArgumentError({ rule, got, mend: 'Leave one of the two out, or correct it.' })

/** Options of {@link answerByScm}. */
export interface ScmAnswerOptions {
  /** The graph's variable that holds the picture; `'image'`. */
  readonly variable?: string
  /** How attributes are written in the graph. */
  readonly codes?: Readonly<Record<string, AttributeCode>>
  /** From a picture in [0, 1] to the graph's values; unchanged by default. Called in a tidy. */
  readonly toValue?: (image: Tensor4D) => tf.Tensor
  /** And back; unchanged by default. Called in a tidy. */
  readonly toImage?: (value: tf.Tensor) => Tensor4D
  /** Seeds abduction. */
  readonly seed: number
}

/**
 * A graph with a picture among its variables as an {@link Answerer}: abduction, action, prediction.
 *
 * The reconstruction is the picture's own equation on its own abducted noise, so a mechanism that cannot return the
 * fact does not pass for an effect.
 *
 * @param graph - borrowed by every call
 * @throws ArgumentError as {@link actionOf} and {@link CausalGraph.counterfactual}
 */
export function answerByScm(graph: CausalGraph, options: ScmAnswerOptions): Answerer {
  const { variable = 'image', codes = {}, seed } = options
  const { toValue = (image) => image, toImage = (value) => value as Tensor4D } = options
  return async ({ image, attributes, interventions }) => {
    const action = actionOf(interventions, attributes, codes)
    const known = Object.keys(attributes).filter((name) => name in graph.variables)
    const tensors = tf.tidy(() => {
      const numbers = known.map((name) => [
        name,
        codes[name]?.encode(attributes[name]!) ?? Number(attributes[name]),
      ])
      const facts = graph.sample(torchRandn(0), 1, Object.fromEntries(numbers))
      const seen: Values = {
        ...Object.fromEntries(known.map((name) => [name, facts[name]!])),
        [variable]: toValue(image),
      }
      // The same seed on both sides: what differs is the action.
      const pa = graph.variables[variable]?.parents ?? []
      const still = Object.fromEntries(pa.filter((name) => seen[name]).map((name) => [name, seen[name]!]))
      const same = graph.counterfactual(seen, still, torchRandn(seed))
      const answer = graph.counterfactual(seen, action, torchRandn(seed))
      const rows = known.map((name) => answer[name]!.reshape([-1]))
      const after = Object.fromEntries(rows.map((row, i) => [`after ${known[i]}`, row]))
      return {
        ...after,
        factual: image.clone(),
        reconstruction: toImage(same[variable]!).clone(),
        image: toImage(answer[variable]!).clone(),
      }
    })
    const after = known.map((name) => {
      const row = (tensors as Record<string, tf.Tensor>)[`after ${name}`]!
      const values = [...row.dataSync()]
      row.dispose()
      return [name, codes[name]?.decode(values) ?? values[0]!] as const
    })
    const { factual, reconstruction, image: edited } = tensors
    return {
      interventions,
      method: 'scm',
      factual,
      reconstruction,
      image: edited,
      attributes: Object.fromEntries(after),
      provenance: { seed, variable },
    }
  }
}

/** What an editor returns; both `[1, height, width, channels]` in [0, 1], owned by the caller. */
export interface EditedPair {
  /** The inverted picture replayed without an edit. */
  readonly reconstruction: Tensor4D
  /** The edited picture. */
  readonly image: Tensor4D
}

/** Options of {@link answerByEditor}. */
export interface EditorAnswerOptions {
  /** The caption of attributes. */
  readonly caption: (attributes: Readonly<Record<string, AttributeValue>>) => string
  /**
   * Inverts the picture under the source caption and edits it to the target: `promptToPrompt` after any inverter.
   * Returns both pictures, owned by the caller.
   */
  readonly edit: (image: Tensor4D, source: string, target: string, options: RunOptions) => Promise<EditedPair>
  /** What is needed to make it again. */
  readonly provenance?: Readonly<Record<string, string | number | boolean>>
}

/**
 * A diffusion editor as an {@link Answerer}: the same intervention, as two captions.
 *
 * It knows of no graph, so the attributes afterwards are those that it was told: the facts with the interventions set.
 *
 * @throws ArgumentError on contradictory interventions
 */
export function answerByEditor({ caption, edit, provenance = {} }: EditorAnswerOptions): Answerer {
  return async ({ image, attributes, interventions }, options = {}) => {
    actionOf(
      interventions.filter(({ to }) => to !== null),
      attributes,
    )
    const after = { ...attributes }
    for (const { attribute, to } of interventions) {
      if (to === null) delete after[attribute]
      else after[attribute] = to
    }
    const [source, target] = [caption(attributes), caption(after)]
    const edited = await edit(image, source, target, options)
    const named = { ...provenance, source, target }
    return {
      interventions,
      method: 'diffusion',
      factual: image.clone(),
      ...edited,
      attributes: after,
      provenance: named,
    }
  }
}
