import * as tf from '@tensorflow/tfjs'
import { ArgumentError, type TorchRandom } from '../core/index.js'
import { type NamedParameters, parameterTree } from '../nn/index.js'
import {
  type CausalGraph,
  type HvaeConfig,
  type HvaeParameters,
  hvaeElbo,
  joinParents,
  type Parents,
  type PredictorConfig,
  particle,
  predictorNll,
  toSigned,
  type Values,
} from '../scm/index.js'
import { type FitOptions, fit } from './fit.js'
import { hvaeFitDefaults, inOrder, latentNoise } from './hvae.js'
import type { TrainingState } from './state.js'

/** The name of the multiplier among the weights. */
export const LAGRANGE = 'lagrange'

/** How counterfactuals are fine-tuned, beside the usual options. */
export interface CounterfactualFitOptions extends FitOptions {
  /** ε: the negative ELBO, per channel of a pixel, that must not be exceeded; what the model had before. */
  readonly constraint: number
  /** c: how strongly a violation pulls beside the multiplier; 100 by default. */
  readonly damping?: number
  /** The multiplier's own rate; 0.01 by default. */
  readonly lagrangeRate?: number
  /** Weight of the divergence in the ELBO; 1 by default. */
  readonly beta?: number
  /** Attributes that may be intervened on; by default all causes of the picture. */
  readonly intervene?: readonly string[]
}

/** Fitted anticausal predictors. */
export interface CounterfactualReaders {
  /** Their architecture. */
  readonly config: PredictorConfig
  /** Their weights, borrowed. */
  readonly parameters: NamedParameters
}

/** What is fine-tuned, and what stays as it is. */
export interface CounterfactualParts {
  /** Attributes and picture; its mechanisms are not trained. */
  readonly graph: CausalGraph
  /** The picture's name in the graph. */
  readonly image: string
  /** The picture's mechanism. */
  readonly config: HvaeConfig
  /** Its readers; not trained. */
  readonly predictors: CounterfactualReaders
}

interface Batch {
  readonly x: tf.Tensor4D
  readonly parents: tf.Tensor2D
  readonly others: tf.Tensor2D
  readonly values: Values
  readonly noise: tf.Tensor4D[]
  readonly [key: string]: tf.TensorContainer
}

/**
 * Counterfactual fine-tuning (De Sousa Ribeiro et al. 2023, § 3.4) for any graph. Each step permutes one attribute
 * within the batch, lets the graph carry the intervention on, and asks the readers whether the counterfactual picture
 * shows it, while the ELBO may not get worse than ε:
 *
 * ```text
 * min over weights, max over λ ≥ 0:   −log q(pa* | x*) − (λ − c sg(ε − F)) (ε − F),    F the negative ELBO
 * ```
 *
 * With latent mediators the total effect is tuned, else the direct one.
 *
 * @param initial - the picture's weights, as fitted; borrowed
 * @param data - observed values of all attributes and the picture, in [0, 1]; freed after the step
 * @returns the final state, the multiplier among its weights as `lagrange`; owned by the caller
 * @throws NumericError when the loss is not finite; the last checkpoint stays good
 * @throws ArgumentError when the picture is not in the graph, or a reader is missing
 */
export async function fitCounterfactual(
  parts: CounterfactualParts,
  initial: NamedParameters,
  data: (step: number, random: TorchRandom) => Values,
  options: CounterfactualFitOptions,
): Promise<TrainingState> {
  const { graph, image, config } = parts
  const causes = expectParts(parts)
  const { intervene = causes, lagrangeRate = 1e-2 } = options
  const multiplier = tf.zeros([1])
  const joined = (values: Values) => joinParents(pick(values, causes) as Parents)
  try {
    return await fit<Batch>(
      new Map([...initial, [LAGRANGE, multiplier]]),
      {
        batch: (step, random) => {
          const { [image]: picture, ...attributes } = data(step, random)
          const [batch] = picture!.shape as [number]
          const made = tf.tidy(() => {
            const name = intervene[random.integers(1, 0, intervene.length)[0]!]!
            const action = { [name]: tf.gather(attributes[name]!, permutation(batch, random)) }
            const values = graph.counterfactual(attributes, action, random)
            const read = pick(values, Object.keys(parts.predictors.config.heads))
            const [parents, others] = [joined(attributes), joined(values)]
            return { x: toSigned(config, picture!, 'fitCounterfactual'), parents, others, values: read }
          })
          tf.dispose([picture!, ...Object.values(attributes)])
          const noise = [1, 2, 3].flatMap(() => latentNoise(config, batch, random))
          return { ...made, noise }
        },
        loss: (named, batch) => constrained(parts, named, batch, options),
      },
      {
        ...hvaeFitDefaults,
        ...options,
        groups: [
          {
            has: (name) => name === LAGRANGE,
            learningRate: lagrangeRate,
            adamW: { betas: [0.9, 0.9], weightDecay: 0 },
            ascend: true,
            least: 0,
          },
        ],
      },
    )
  } finally {
    multiplier.dispose()
  }
}

function constrained(
  { config, predictors }: CounterfactualParts,
  named: NamedParameters,
  { x, parents, others, values, noise }: Batch,
  { constraint, damping = 100, beta = 1 }: CounterfactualFitOptions,
): tf.Scalar {
  const parameters = parameterTree<HvaeParameters>(named)
  const draw = inOrder(noise)
  const { nll, kl } = hvaeElbo(parameters, config, x, parents, draw)
  const slack = tf.sub(constraint, tf.add(tf.mean(nll), tf.mul(tf.mean(kl), beta)))
  const effect = config.cond_prior ? 'total' : 'direct'
  const y = particle({ config, named, parameters }, x, parents, others, effect, { draw })
  const unit = tf.div<tf.Tensor4D>(tf.add(y, 1), 2)
  const unseen = predictorNll(predictors.parameters, predictors.config, unit, values)
  // The violation inside the bracket is a number, not a path for gradients.
  const pull = tf.sub(named.get(LAGRANGE)!.reshape([]), tf.mul(stopGradient(slack), damping))
  const used = tf.mul(tf.addN([...named].map(([, tensor]) => tf.sum(tensor))), 0)
  return tf.add(tf.sub(unseen, tf.mul(pull, slack)), used) as tf.Scalar
}

const stopGradient = tf.customGrad((x) => ({
  value: (x as tf.Tensor).clone(),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
})) as (x: tf.Tensor) => tf.Tensor

function pick(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(names.map((name) => [name, values[name]!]))
}

function permutation(count: number, random: TorchRandom): tf.Tensor1D {
  const keys = random.uniform(count)
  const order = Array.from(keys, (_, i) => i).sort((a, b) => keys[a]! - keys[b]!)
  return tf.tensor1d(order, 'int32')
}

function expectParts({ graph, image, predictors }: CounterfactualParts): readonly string[] {
  const variable = graph.variables[image]
  const causes = variable?.parents ?? []
  const unread = causes.filter((name) => !predictors.config.heads[name])
  if (variable && causes.length > 0 && unread.length === 0) return causes
  throw new ArgumentError({
    rule: 'fitCounterfactual needs a picture in the graph, with causes, and a reader for each of them',
    got: variable ? `causes [${causes}], without readers: [${unread}]` : `no variable ${image}`,
    mend: 'Name the picture as the graph does, and fit predictors of all its parents.',
  })
}
