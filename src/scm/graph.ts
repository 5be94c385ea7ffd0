import * as tf from '@tensorflow/tfjs'
import type { TorchRandom } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import { actionValues } from './graph-action.js'
import {
  expectActable,
  expectMechanism,
  expectObserved,
  expectObservedParents,
  expectVariables,
} from './graph-checks.js'
import { descendants, type ParentNames, topologicalOrder } from './graph-order.js'
import type { Action, Noise, Values, Variables } from './graph-variable.js'
import type { Exogenous, Parents, Value } from './mechanism.js'
import { deterministic } from './mechanisms/deterministic.js'

/**
 * A structural causal model: variables, their parents and their equations. A frozen record; every method is
 * synchronous, borrows its arguments, and returns tensors that belong to the caller.
 */
export interface CausalGraph {
  /** The variables as declared. */
  readonly variables: Variables
  /** Their names, causes before effects. */
  readonly order: readonly string[]
  /** Every mechanism's weights, named `<variable>/<weight>`; see {@link CausalGraph.with} and {@link CausalGraph.dispose}. */
  readonly parameters: NamedParameters
  /** The same graph with other weights, borrowed. */
  with(parameters: NamedParameters): CausalGraph
  /**
   * The mutilated graph: acted variables lose their parents and are constant.
   * @throws ArgumentError on an unknown variable, a value outside the support, or a variable that is already set
   */
  do(action: Action): CausalGraph
  /** The variables that the named ones can move. */
  descendants(...causes: string[]): ReadonlySet<string>
  /** Draws all variables; those in `action` are set and their effects follow. */
  sample(random: TorchRandom, batch: number, action?: Action): Values
  /**
   * `log p(observation)`, summed over the observed variables, `[batch]`.
   * @throws ArgumentError on an unobserved parent, an unknown variable or a value outside its support
   */
  logProb(observation: Values): tf.Tensor1D
  /**
   * Noise from its posterior given the observation, for every observed variable.
   * @throws as {@link CausalGraph.logProb}
   */
  abduct(observation: Values, random: TorchRandom): Noise
  /** The equations run on given noise under an action: every variable that has noise or is set. */
  predict(noise: Noise, action?: Action): Values
  /**
   * What the observed individuals would have been under `action`: abduction, action, prediction.
   *
   * Variables that the action cannot move keep their observed values; the variables set, and all observed effects
   * of them, are answered by their equations from the abducted noise. Unobserved variables are left out, unless set.
   *
   * @throws ArgumentError as {@link CausalGraph.do} and {@link CausalGraph.logProb}
   */
  counterfactual(observation: Values, action: Action, random: TorchRandom): Values
  /** Frees all weights. Idempotent. */
  dispose(): void
  /** As {@link CausalGraph.dispose}, for `using`. */
  [Symbol.dispose](): void
}

/**
 * A causal graph as data (Pearl 2009, chapter 7): sampling, likelihood, `do(.)` and counterfactuals for any of them.
 *
 * ```ts
 * const graph = causalGraph({
 *   age: { mechanism: linearRationalSpline() },
 *   effusion: { parents: ['age'], mechanism: bernoulli({ parents: 1, hidden: [8] }) },
 * })
 * const younger = graph.counterfactual(observed, { age: -0.2 }, torchRandn(0))
 * ```
 *
 * @param variables - in any order; mechanisms are borrowed
 * @throws ArgumentError on a cycle or an unknown parent, naming the path, or a mechanism of another parents' width
 */
export function causalGraph(variables: Variables): CausalGraph {
  const parentNames: ParentNames = new Map(
    Object.entries(variables).map(([name, { parents = [] }]) => [name, parents]),
  )
  const order = topologicalOrder(parentNames)
  for (const name of order) expectMechanism(name, variables)
  const mechanism = (name: string) => variables[name]!.mechanism
  const parentsOf = (name: string, values: Values): Parents =>
    Object.fromEntries(parentNames.get(name)!.map((parent) => [parent, values[parent]!]))

  const parameters: NamedParameters = new Map(
    order.flatMap((name) =>
      [...mechanism(name).parameters].map(([weight, tensor]) => [`${name}/${weight}`, tensor] as const),
    ),
  )
  const dispose = () => tf.dispose([...parameters.values()])

  // Runs the equations of `names` in order over `given` values.
  function run(
    names: readonly string[],
    given: Values,
    equation: (name: string, pa: Parents) => Value,
  ): Values {
    const values: Record<string, Value> = { ...given }
    for (const name of names) values[name] ??= equation(name, parentsOf(name, values))
    return values
  }

  const graph: CausalGraph = {
    variables,
    order,
    parameters,

    with: (weights) =>
      causalGraph(
        Object.fromEntries(
          Object.entries(variables).map(([name, variable]) => {
            const own = [...variable.mechanism.parameters.keys()].map(
              (weight) => [weight, weights.get(`${name}/${weight}`)!] as const,
            )
            return [name, { ...variable, mechanism: variable.mechanism.with(new Map(own)) }]
          }),
        ),
      ),

    do(action) {
      expectActable(action, variables)
      const set = Object.entries(action).map(([name, value]) => {
        const { event } = mechanism(name)
        const held = typeof value === 'object' ? value.arraySync() : value
        const constant = () => actionValues({ [name]: tensorOf(held) }, variables, 1)[name]!
        tf.dispose(constant())
        return [name, { mechanism: deterministic(constant, { event }) }] as const
      })
      return causalGraph({ ...variables, ...Object.fromEntries(set) })
    },

    descendants: (...causes) => descendants(parentNames, causes),

    sample: (random, batch, action = {}) =>
      tf.tidy(() => {
        const set = actionValues(action, variables, batch)
        return run(order, set, (name, pa) => mechanism(name).sample(random, pa, batch))
      }),

    logProb: (observation) =>
      tf.tidy(() => {
        const names = expectObserved(observation, variables, order)
        expectObservedParents(names, observation, parentNames)
        const terms = names.map((name) =>
          mechanism(name).logProb(observation[name]!, parentsOf(name, observation)),
        )
        return tf.addN(terms)
      }),

    abduct: (observation, random) =>
      tf.tidy(() => {
        const names = expectObserved(observation, variables, order)
        expectObservedParents(names, observation, parentNames)
        const abducted = names.map((name) => [
          name,
          mechanism(name).abduct(observation[name]!, parentsOf(name, observation), random),
        ])
        return Object.fromEntries(abducted) as Record<string, Exogenous>
      }),

    predict: (noise, action = {}) =>
      tf.tidy(() => {
        expectVariables(Object.keys(noise), variables)
        const batch = batchOf(Object.values(noise)[0]) ?? 1
        const set = actionValues(action, variables, batch)
        const names = order.filter((name) => name in noise || name in set)
        expectObservedParents(
          names.filter((name) => !(name in set)),
          { ...noise, ...set },
          parentNames,
        )
        return run(names, set, (name, pa) => mechanism(name).predict(noise[name]!, pa))
      }),

    counterfactual: (observation, action, random) =>
      tf.tidy(() => {
        const observed = expectObserved(observation, variables, order)
        const batch = observation[observed[0]!]!.shape[0]!
        const set = actionValues(action, variables, batch)
        const moved = descendants(parentNames, Object.keys(set))
        const answered = observed.filter((name) => moved.has(name) && !(name in set))
        expectObservedParents(answered, observation, parentNames)
        // Abduction: the noise of whatever the action can move.
        const noise = new Map(
          answered.map((name) => [
            name,
            mechanism(name).abduct(observation[name]!, parentsOf(name, observation), random),
          ]),
        )
        // Action and prediction.
        const kept = Object.fromEntries(
          observed.filter((name) => !moved.has(name)).map((name) => [name, observation[name]!.clone()]),
        )
        return run(answered, { ...kept, ...set }, (name, pa) => mechanism(name).predict(noise.get(name)!, pa))
      }),

    dispose,
    [Symbol.dispose]: dispose,
  }
  return Object.freeze(graph)
}

const batchOf = (exogenous: Exogenous | undefined) => exogenous && Object.values(exogenous)[0]?.shape[0]

// Held as plain numbers, so that a mutilated graph owns no tensor; a scalar stays one.
const tensorOf = (held: number | boolean | unknown) =>
  typeof held === 'object' ? tf.tensor(held as number[]) : (held as number | boolean)
