import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber } from '../../core/index.js'
import { type ConditionerOptions, conditioner } from '../conditioner.js'
import { drawUniform, type Mechanism } from '../mechanism.js'
import { asHeads, logAddExpNegative } from './numerics.js'

/** Options of {@link categorical}. */
export interface CategoricalOptions extends ConditionerOptions {
  /** How many classes. */
  readonly classes: number
}

/**
 * A class by Gumbel-max (Maddison et al. 2014; Oberst & Sontag 2019):
 *
 * ```text
 * x = one-hot argmax_i (l_i + e_i)     l = logits(parents),  e_i ~ Gumbel(0, 1) independently
 * ```
 *
 * Abduction draws `e` from its exact posterior given the observed class k, in the space of the *sums*
 * G_i = l_i + e_i, where the bound by the winner holds:
 *
 * ```text
 * G_k = g_k + logsumexp(l)
 * G_i = -log(exp(-(l_i + g_i)) + exp(-G_k))     i ≠ k,  g ~ Gumbel(0, 1)
 * e   = G - l
 * ```
 *
 * so prediction from abducted noise returns the observed class in every draw. (causal-gen bounds the noise instead
 * of the sums, and loses the observed class in up to 9 % of the draws.)
 *
 * A value is one-hot, `[batch, classes]`; its plain form is the class's index.
 *
 * ```ts
 * const finding = categorical({ classes: 2, parents: 1, hidden: [8, 16], activation: 'sigmoid' })
 * ```
 *
 * @param options - classes, and how the logits depend on the parents
 * @throws ArgumentError on fewer than two classes, or other weights than the shapes say
 */
export function categorical(options: CategoricalOptions): Mechanism {
  const { classes } = options
  expectNumber(classes, { integer: true, min: 2 }, 'categorical', 'classes')
  const net = conditioner(asHeads({ logits: { shape: [classes], initial: 0 } }), options)
  const parameters = options.parameters ?? net.parameters
  const logits = (parents: Parameters<typeof net.apply>[1]) => net.apply(parameters, parents).logits
  const gumbel = (random: Parameters<typeof drawUniform>[0], batch: number) =>
    drawUniform(random, batch, [classes]).log().neg().log().neg()

  return Object.freeze<Mechanism>({
    name: 'categorical',
    event: [classes],
    parents: net.parents,
    parameters,
    domain: `one-hot of ${classes} classes`,
    support: (x) =>
      tf.tidy(() => {
        const oneHot = x.sum(-1, true).equal(1).logicalAnd(x.max(-1, true).equal(1))
        return x.equal(0).logicalOr(x.equal(1)).logicalAnd(oneHot)
      }),
    encode: (index) => oneHotOf(Number(index), classes),
    with: (weights) => categorical({ ...options, parameters: weights }),

    sample(random, parents, batch) {
      return tf.tidy(() => this.predict({ e: gumbel(random, batch) }, parents))
    },

    logProb: (x, parents) =>
      tf.tidy(() => {
        const l = logits(parents)
        return x.mul(l.sub(l.logSumExp(-1, true))).sum<tf.Tensor1D>(-1)
      }),

    abduct: (x, parents, random) =>
      tf.tidy(() => {
        const l = logits(parents)
        const g = gumbel(random, x.shape[0]!)
        const Gk = x.mul(g).sum(-1, true).add(l.logSumExp(-1, true))
        const others = logAddExpNegative(l.add(g), Gk)
        const G = tf.where(x.cast('bool'), Gk.add(x.mul(0)), others)
        return { e: keepWinner(G.sub(l), l, x) }
      }),

    predict: ({ e }, parents) =>
      tf.tidy(() => tf.oneHot(logits(parents).add(e!).argMax<tf.Tensor1D>(-1), classes).cast('float32')),
  })
}

// In float32, l + (G - l) may round two sums that differ by one part in 10^7 to a tie or past each other. Lifting
// the winner's noise over the runner-up by a few roundings keeps the fact, and moves no moment that float32 can show.
function keepWinner(e: tf.Tensor, l: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const sums = l.add(e)
  const runnerUp = sums.sub(x.mul(1e30)).max(-1, true)
  const own = x.mul(l).sum(-1, true)
  const least = runnerUp.sub(own).add(runnerUp.abs().add(own.abs()).add(1).mul(1e-6))
  return tf.where(x.cast('bool'), tf.maximum(e, least), e)
}

function oneHotOf(index: number, classes: number): readonly number[] {
  if (Number.isInteger(index) && index >= 0 && index < classes) {
    return Array.from({ length: classes }, (_, i) => (i === index ? 1 : 0))
  }
  throw new ArgumentError({
    rule: `a class is a whole number from 0 to ${classes - 1}`,
    got: String(index),
    mend: 'Pass the index of the class, or a one-hot tensor.',
  })
}
