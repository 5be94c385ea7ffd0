import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { type ConditionerOptions, conditioner } from '../conditioner.js'
import { drawUniform, type Mechanism, type Parents } from '../mechanism.js'
import { asHeads, softplus } from './numerics.js'

/**
 * Present or not, by a logistic threshold:
 *
 * ```text
 * x = 1 if l + e > 0, else 0     l = logit(parents),  e ~ Logistic(0, 1)
 * ```
 *
 * which is the two-class Gumbel-max. Abduction draws `e` from its exact posterior: with s = 2x - 1 the margin
 * s (l + e) is logistic, cut off below 0,
 *
 * ```text
 * s (l + e) = softplus(s l) - log v + log(1 - v sigmoid(s l))     v ~ U(0, 1)
 * ```
 *
 * A value is `[batch, 1]` of zeros and ones.
 *
 * ```ts
 * const sex = bernoulli()                                   // one learnt logit
 * const effusion = bernoulli({ parents: 1, hidden: [8] })   // logit = net(age)
 * ```
 *
 * @param options - how the logit depends on the parents
 * @throws ArgumentError on widths that are not whole numbers, or weights of other names
 */
export function bernoulli(options: ConditionerOptions = {}): Mechanism {
  const net = conditioner(asHeads({ logit: { shape: [1], initial: 0 } }), options)
  const parameters = options.parameters ?? net.parameters
  const logit = (parents: Parents) => net.apply(parameters, parents).logit

  return Object.freeze<Mechanism>({
    name: 'bernoulli',
    event: [1],
    parents: net.parents,
    parameters,
    domain: '0 or 1',
    support: (x) => tf.tidy(() => x.equal(0).logicalOr(x.equal(1))),
    encode: (value) => [bit(value)],
    with: (weights) => bernoulli({ ...options, parameters: weights }),

    sample(random, parents, batch) {
      return tf.tidy(() => {
        const u = drawUniform(random, batch, [1])
        return this.predict({ e: u.log().sub(u.neg().add(1).log()) }, parents)
      })
    },

    // log sigmoid(s l) = -softplus(-s l)
    logProb: (x, parents) =>
      tf.tidy(() =>
        softplus(sign(x).mul(logit(parents)).neg())
          .neg()
          .sum<tf.Tensor1D>(-1),
      ),

    abduct: (x, parents, random) =>
      tf.tidy(() => {
        const [l, s] = [logit(parents), sign(x)]
        const sl = s.mul(l)
        const v = drawUniform(random, x.shape[0]!, [1])
        const margin = softplus(sl).sub(v.log()).add(v.mul(sl.sigmoid()).neg().add(1).log())
        // A margin below float32's resolution of l would round to the other side of the threshold.
        const visible = tf.maximum(margin, l.abs().add(1).mul(1e-6))
        return { e: s.mul(visible).sub(l) }
      }),

    predict: ({ e }, parents) => tf.tidy(() => logit(parents).add(e!).greater(0).cast('float32')),
  })
}

const sign = (x: tf.Tensor) => x.mul(2).sub(1)

function bit(value: number | boolean): number {
  const number = Number(value)
  if (number === 0 || number === 1) return number
  throw new ArgumentError({
    rule: 'a Bernoulli value is 0 or 1, or a boolean',
    got: String(value),
    mend: 'Pass true or false.',
  })
}
