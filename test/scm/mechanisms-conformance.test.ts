import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { torchRandn } from '../../src/core/index.js'
import {
  affine,
  affineTransform,
  bernoulli,
  categorical,
  flow,
  linearRationalSpline,
  linearRationalSplineTransform,
  type Mechanism,
  type Parents,
  rationalQuadraticSpline,
} from '../../src/scm/index.js'

// A new mechanism joins by one line.
const net = { parents: 2, hidden: [6], seed: 3 }
const continuous: Record<string, () => Mechanism> = {
  affine: () => affine(),
  'affine of parents': () => affine(net),
  'linear-rational spline': () => linearRationalSpline(),
  'linear-rational spline of parents': () => linearRationalSpline(net),
  'rational-quadratic spline': () => rationalQuadraticSpline({ bins: 5, bound: 2 }),
  'rational-quadratic spline of parents': () => rationalQuadraticSpline(net),
  'spline, then affine': () => flow([linearRationalSplineTransform(), affineTransform()], net),
}
const discrete: Record<string, () => Mechanism> = {
  bernoulli: () => bernoulli(),
  'bernoulli of parents': () => bernoulli({ ...net, activation: 'tanh' }),
  categorical: () => categorical({ classes: 4 }),
  'categorical of parents': () => categorical({ classes: 3, ...net, activation: 'sigmoid' }),
}

// Weights well away from where they start, the same every time.
function roughened(make: () => Mechanism): { mechanism: Mechanism; free: () => void } {
  const mechanism = make()
  const random = torchRandn(7)
  const rough = new Map(
    [...mechanism.parameters].map(([name, p]) => [
      name,
      tf.tidy(() => p.add(tf.tensor(random.normal(p.size), p.shape).mul(0.4))),
    ]),
  )
  const free = () => tf.dispose([...mechanism.parameters.values(), ...rough.values()])
  return { mechanism: mechanism.with(rough), free }
}

function parentsFor({ parents }: Mechanism, batch: number): Parents {
  if (!parents) return {}
  const one = tf.tensor2d([[0.4], [-0.7]])
  return { a: tf.fill([batch, 1], one.dataSync()[0]!), b: tf.fill([batch, 1], one.dataSync()[1]!) }
}

const check = (make: () => Mechanism, body: (mechanism: Mechanism) => void) => {
  const { mechanism, free } = roughened(make)
  try {
    tf.tidy(() => {
      body(mechanism)
    })
  } finally {
    free()
  }
}

describe.each(Object.entries(continuous))('%s', (_, make) => {
  test('its density integrates to 1, and its samples have the moments of that density', () => {
    check(make, (mechanism) => {
      const [n, from, to] = [8001, -16, 16]
      const h = (to - from) / (n - 1)
      const x = tf.linspace(from, to, n).reshape([n, 1])
      const density = mechanism.logProb(x, parentsFor(mechanism, n)).exp()
      const integral = (f: tf.Tensor) => f.reshape([n]).mul(density).sum().dataSync()[0]! * h
      expect(integral(tf.onesLike(x))).toBeCloseTo(1, 3)
      const mean = integral(x)
      const variance = integral(x.square()) - mean ** 2
      const count = 20000
      const drawn = mechanism.sample(torchRandn(1), parentsFor(mechanism, count), count)
      const { mean: m, variance: v } = tf.moments(drawn)
      expect(Math.abs(m.dataSync()[0]! - mean)).toBeLessThan(5 * Math.sqrt(variance / count))
      expect(v.dataSync()[0]! / variance).toBeCloseTo(1, 1)
    })
  })

  test('abduction inverts prediction within 1e-5, and the noise of its samples is standard normal', () => {
    check(make, (mechanism) => {
      const n = 5000
      const pa = parentsFor(mechanism, n)
      const x = mechanism.sample(torchRandn(2), pa, n)
      const noise = mechanism.abduct(x, pa, torchRandn(3))
      expect(mechanism.predict(noise, pa).sub(x).abs().max().dataSync()[0]).toBeLessThan(1e-5)
      const { mean, variance } = tf.moments(noise.e!)
      expect(Math.abs(mean.dataSync()[0]!)).toBeLessThan(5 / Math.sqrt(n))
      expect(Math.abs(variance.dataSync()[0]! - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
    })
  })
})

describe.each(Object.entries(discrete))('%s', (_, make) => {
  const values = ({ event }: Mechanism) =>
    event[0] === 1 ? tf.tensor2d([[0], [1]]) : (tf.eye(event[0]!) as tf.Tensor2D)

  test('its probabilities sum to 1, and are the frequencies of its samples', () => {
    check(make, (mechanism) => {
      const all = values(mechanism)
      const p = mechanism.logProb(all, parentsFor(mechanism, all.shape[0])).exp()
      expect(p.sum().dataSync()[0]).toBeCloseTo(1, 5)
      const n = 40000
      const drawn = mechanism.sample(torchRandn(1), parentsFor(mechanism, n), n).mean(0).dataSync()
      p.slice([all.shape[0] - drawn.length])
        .dataSync()
        .forEach((want, k) => expect(Math.abs(drawn[k]! - want)).toBeLessThan(5 * Math.sqrt(0.25 / n)))
    })
  })

  test('prediction from abducted noise is the fact, in every draw', () => {
    check(make, (mechanism) => {
      const n = 20000
      const pa = parentsFor(mechanism, n)
      const x = mechanism.sample(torchRandn(4), pa, n)
      const again = mechanism.predict(mechanism.abduct(x, pa, torchRandn(5)), pa)
      expect(again.sub(x).abs().max().dataSync()[0]).toBe(0)
    })
  })
})

test.each(Object.entries({ ...continuous, ...discrete }))(
  '%s: finite gradients in every weight, value and parent',
  (_, make) => {
    check(make, (mechanism) => {
      const n = 64
      const pa = parentsFor(mechanism, n)
      const x = mechanism.sample(torchRandn(6), pa, n)
      // Far outside the bounds and on knots too.
      const values = mechanism.support
        ? x
        : tf.concat([x.slice([0, 0], [n - 4, -1]), tf.tensor2d([[-40], [40], [0], [3]])])
      const names = [...mechanism.parameters.keys()]
      const parents = Object.values(pa)
      const gradients = tf.grads((...all: tf.Tensor[]) => {
        const weights = new Map(names.map((name, i) => [name, all[i + 1]!]))
        const own = Object.fromEntries(Object.keys(pa).map((name, i) => [name, all[names.length + 1 + i]!]))
        return mechanism.with(weights).logProb(all[0]!, own).mean()
      })([values, ...mechanism.parameters.values(), ...parents])
      gradients.forEach((g) => expect(tf.all(tf.isFinite(g)).dataSync()[0]).toBe(1))
      // What is learnt must have a direction to learn in.
      const learnt = gradients.slice(1, names.length + 1)
      learnt.forEach((g, i) => expect(g.abs().max().dataSync()[0], names[i]).toBeGreaterThan(0))
    })
  },
)
