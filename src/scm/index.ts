/**
 * The structural causal model: a graph of mechanisms; abduction, action, prediction.
 *
 * @packageDocumentation
 */

export {
  type Conditioner,
  type ConditionerOptions,
  conditioner,
  type Head,
  type Heads,
  type HeadValues,
} from './conditioner.js'
export { type CausalGraph, causalGraph } from './graph.js'
export { type ParentNames, topologicalOrder } from './graph-order.js'
export type { Action, Noise, Values, Variable, Variables } from './graph-variable.js'
export * from './hvae/index.js'
export {
  type Answerer,
  type AttributeCode,
  actionOf,
  answerByEditor,
  answerByScm,
  type CounterfactualResult,
  type EditedPair,
  type EditorAnswerOptions,
  type Question,
  type ScmAnswerOptions,
} from './intervention.js'
export {
  drawStandardNormal,
  drawUniform,
  type Exogenous,
  joinParents,
  type Mechanism,
  type Parents,
  type Value,
} from './mechanism.js'
export * from './mechanisms/index.js'
