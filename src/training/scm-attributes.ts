import * as tf from '@tensorflow/tfjs'
import { ArgumentError, NumericError } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import type { CausalGraph, Values } from '../scm/index.js'
import { drawIntegers } from './draw.js'
import { type FitOptions, fit } from './fit.js'
import type { TrainingState } from './state.js'

/** Options of {@link fitMechanisms}. */
export interface MechanismFitOptions extends FitOptions {
  /** Rows per step, drawn with replacement; 256, or all rows in order when the data has no more than that. */
  readonly batch?: number
}

/**
 * Fits all mechanisms of a graph whose variables are observed, by maximum likelihood with AdamW:
 *
 * ```text
 * loss = -mean over rows of Σ_variables log p(x | parents)
 * ```
 *
 * The sum parts into one term per mechanism, so one run fits them all. Variables that are absent from the data (an
 * image, say) are left alone; their weights are not in the state.
 *
 * ```ts
 * const state = await fitMechanisms(graph, data, { steps: 1000, learningRate: 0.01, seed: 0 })
 * const fitted = graph.with(new Map([...graph.parameters, ...state.average]))
 * ```
 *
 * @param graph - borrowed; its weights are where the fit starts
 * @param data - observed values `[rows, ...event]`, checked once against the supports; borrowed
 * @param options - steps, rate, seed, checkpoint: as for {@link fit}
 * @returns the final state, owned by the caller: see {@link disposeTrainingState}
 * @throws ArgumentError on data outside a support, an unobserved parent, or nothing to fit
 * @throws NumericError naming the mechanism whose likelihood left the finite numbers; the last checkpoint stays good
 * @throws CheckpointError when the checkpoint is of another run
 * @throws AbortError
 */
export async function fitMechanisms(
  graph: CausalGraph,
  data: Values,
  options: MechanismFitOptions,
): Promise<TrainingState> {
  // Once here, outside the tape: the graph's own checks read values back.
  graph.logProb(data).dispose()
  const names = graph.order.filter(
    (name) => data[name] && graph.variables[name]!.mechanism.parameters.size > 0,
  )
  const initial = new Map(
    [...graph.parameters].filter(([weight]) => names.some((name) => weight.startsWith(`${name}/`))),
  )
  if (initial.size === 0) {
    throw new ArgumentError({
      rule: 'fitMechanisms needs an observed variable with weights',
      got: Object.keys(data).join(', '),
      mend: 'Observe a variable whose mechanism learns.',
    })
  }
  const rows = data[names[0]!]!.shape[0]!
  const { batch: size = 256 } = options

  return fit(
    initial,
    {
      batch: (_step, random) => {
        if (rows <= size) return Object.fromEntries(Object.entries(data).map(([k, x]) => [k, x.clone()]))
        return tf.tidy(() => {
          const chosen = tf.tensor1d(drawIntegers(random, size, rows), 'int32')
          return Object.fromEntries(Object.entries(data).map(([k, x]) => [k, tf.gather(x, chosen)]))
        })
      },
      loss: (parameters, values) => {
        const terms = names.map((name) => negativeLogLikelihood(graph, name, parameters, values))
        expectFiniteTerms(names, terms)
        return tf.addN(terms) as tf.Scalar
      },
    },
    options,
  )
}

function negativeLogLikelihood(
  graph: CausalGraph,
  name: string,
  parameters: NamedParameters,
  values: Values,
): tf.Tensor {
  const { mechanism, parents = [] } = graph.variables[name]!
  const own = [...mechanism.parameters.keys()].map((key) => [key, parameters.get(`${name}/${key}`)!] as const)
  const pa = Object.fromEntries(parents.map((parent) => [parent, values[parent]!]))
  return mechanism.with(new Map(own)).logProb(values[name]!, pa).mean().neg()
}

function expectFiniteTerms(names: readonly string[], terms: readonly tf.Tensor[]): void {
  for (const [i, term] of terms.entries()) {
    const value = term.dataSync()[0]!
    if (Number.isFinite(value)) continue
    throw new NumericError({
      rule: `training the mechanism of "${names[i]}" needs a finite likelihood`,
      got: `a loss of ${value}`,
      mend: 'Lower the learning rate, bring the variable to the order of 1, and resume from the last checkpoint.',
    })
  }
}
