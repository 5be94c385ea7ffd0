import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { torchRandn } from '../../src/core/index.js'
import { bernoulli, categorical } from '../../src/scm/index.js'

const settings = [
  [-0.5, 1],
  [-3, -1],
  [0, 0],
  [8, -8],
  [-0.5, 1, 0.25],
  [-30, 5],
]
// CONTRAFACT_DRAWS=1000000 runs the million per setting (a minute on wasm).
const DRAWS = Number(process.env.CONTRAFACT_DRAWS ?? 50_000)

// What causal-gen publishes: the winner's noise, Gumbel less its logit, bounds the other classes in place of its sum.
function publishedAbduction(l: tf.Tensor, x: tf.Tensor, g: tf.Tensor): tf.Tensor {
  const bound = x.mul(g.sub(l)).sum(-1, true)
  const others = tf
    .log(tf.exp(l.add(g).neg()).add(tf.exp(bound.neg())))
    .neg()
    .sub(l)
  return tf.where(x.cast('bool'), bound.add(x.mul(0)), others)
}

describe.each(settings.map((logits) => [logits]))('logits (%s)', (logits) => {
  const parameters = () => new Map([['logits', tf.tensor1d(logits)]])

  test(`abduction returns the observed class in ${DRAWS} of ${DRAWS} draws`, () => {
    tf.tidy(() => {
      const mechanism = categorical({ classes: logits.length, parameters: parameters() })
      const random = torchRandn(0)
      let wrong = 0
      for (let i = 0; i < 5; i++) {
        wrong += tf.tidy(() => {
          // Every class in turn, however improbable, and not only as often as it is drawn.
          const rows = Array.from({ length: DRAWS / 5 }, (_, row) => row % logits.length)
          const x = tf.oneHot(tf.tensor1d(rows, 'int32'), logits.length).cast('float32')
          return mechanism
            .predict(mechanism.abduct(x, {}, random), {})
            .sub(x)
            .abs()
            .max(-1)
            .sum()
            .dataSync()[0]!
        })
      }
      expect(wrong).toBe(0)
    })
  })

  test('pooled over observed classes the noise is Gumbel: mean 0.5772, deviation 1.2825', () => {
    tf.tidy(() => {
      const mechanism = categorical({ classes: logits.length, parameters: parameters() })
      const [n, random] = [40_000, torchRandn(1)]
      const { e } = mechanism.abduct(mechanism.sample(random, {}, n), {}, random)
      const { mean, variance } = tf.moments(e!, 0)
      mean.dataSync().forEach((m) => expect(Math.abs(m - 0.57722)).toBeLessThan((5 * 1.2825) / Math.sqrt(n)))
      variance.dataSync().forEach((v) => expect(Math.abs(Math.sqrt(v) - 1.2825)).toBeLessThan(0.04))
    })
  })
})

test.each([
  [[-0.5, 1], 0.483, 0.906],
  [[-3, -1], 0.742, 0.942],
])(
  'the published formula fails the same check: at logits (%s) class 0 comes back in %d of the draws',
  (logits, first, all) => {
    tf.tidy(() => {
      const n = 50_000
      const mechanism = categorical({ classes: 2, parameters: new Map([['logits', tf.tensor1d(logits)]]) })
      const random = torchRandn(2)
      const x = mechanism.sample(random, {}, n)
      const g = tf.tensor2d(
        random.uniform(n * 2).map((u) => -Math.log(-Math.log(u + 2 ** -26))),
        [n, 2],
      )
      const e = publishedAbduction(tf.tensor1d(logits), x, g)
      const right = mechanism.predict({ e }, {}).mul(x).sum(-1)
      const ofFirst = x.slice([0, 0], [n, 1]).reshape([n])
      const rate = right.mul(ofFirst).sum().div(ofFirst.sum()).dataSync()[0]!
      expect(rate).toBeCloseTo(first, 1)
      expect(right.mean().dataSync()[0]).toBeCloseTo(all, 1)
      expect(rate).toBeLessThan(0.99)
    })
  },
)

test.each([-20, -1, 0, 0.3, 20])(
  'a Bernoulli fact comes back in every draw at logit %d, and the noise is logistic',
  (l) => {
    tf.tidy(() => {
      const mechanism = bernoulli({ parameters: new Map([['logit', tf.tensor1d([l])]]) })
      const [n, random] = [50_000, torchRandn(3)]
      const both = tf.tensor2d(
        Float32Array.from({ length: n }, (_, i) => i % 2),
        [n, 1],
      )
      const back = mechanism.predict(mechanism.abduct(both, {}, random), {})
      expect(back.sub(both).abs().max().dataSync()[0]).toBe(0)
      const { e } = mechanism.abduct(mechanism.sample(random, {}, n), {}, random)
      const { mean, variance } = tf.moments(e!)
      expect(Math.abs(mean.dataSync()[0]!)).toBeLessThan((5 * 1.8138) / Math.sqrt(n))
      expect(Math.sqrt(variance.dataSync()[0]!)).toBeCloseTo(1.8138, 1)
    })
  },
)
