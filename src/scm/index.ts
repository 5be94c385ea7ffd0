/**
 * The structural causal model: a graph of mechanisms; abduction, action, prediction.
 *
 * @packageDocumentation
 */
export {
  drawStandardNormal,
  drawUniform,
  type Exogenous,
  joinParents,
  type Mechanism,
  type Parents,
  type Value,
} from './mechanism.js'
