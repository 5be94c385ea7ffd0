import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { torchRandn } from '../../src/core/index.js'
import {
  affine,
  affineTransform,
  bernoulli,
  type CausalGraph,
  categorical,
  causalGraph,
  deterministic,
  flow,
  linearRationalSpline,
  linearRationalSplineTransform,
  rationalQuadraticSpline,
  type Variables,
} from '../../src/scm/index.js'

// x_j = b_j + Σ_i W[i][j] x_i + σ_j e_j over any lower-triangular W.
function linearGaussian(
  W: readonly (readonly number[])[],
  b: readonly number[],
  logσ: readonly number[],
): CausalGraph {
  const variables: Record<string, Variables[string]> = {}
  for (const [j, bj] of b.entries()) {
    const parents = b.flatMap((_, i) => (i < j ? [`x${i}`] : []))
    const parameters = new Map<string, tf.Tensor>(
      j === 0
        ? [
            ['location', tf.tensor1d([bj])],
            ['logScale', tf.tensor1d([logσ[j]!])],
          ]
        : [
            ['net.0.weight', tf.tensor2d(parents.map((_, i) => [W[i]![j]!, 0]))],
            ['net.0.bias', tf.tensor1d([bj, logσ[j]!])],
          ],
    )
    variables[`x${j}`] = { parents, mechanism: affine({ parents: j, parameters }) }
  }
  return causalGraph(variables)
}

const size = 4
const number = fc.double({ min: -1.5, max: 1.5, noNaN: true })
const vector = fc.array(number, { minLength: size, maxLength: size })

test('any linear-Gaussian graph gives the closed-form counterfactual and effects', () => {
  fc.assert(
    fc.property(
      fc.array(vector, { minLength: size, maxLength: size }),
      vector,
      vector,
      vector,
      fc.integer({ min: 0, max: size - 1 }),
      number,
      (W, b, logσ, x, acted, to) => {
        tf.tidy(() => {
          const graph = linearGaussian(W, b, logσ)
          const seen = Object.fromEntries(x.map((v, j) => [`x${j}`, tf.tensor2d([[v]])]))
          const answer = graph.counterfactual(seen, { [`x${acted}`]: to }, torchRandn(0))
          // Closed form: the residuals stay, so every change is carried on by the weights.
          const want = [...x]
          want[acted] = to
          for (let j = acted + 1; j < size; j++) {
            want[j] = x[j]!
            for (let i = acted; i < j; i++) want[j]! += W[i]![j]! * (want[i]! - x[i]!)
          }
          want.forEach((v, j) => expect(answer[`x${j}`]!.dataSync()[0]).toBeCloseTo(v, 4))
          tf.dispose([...graph.parameters.values()])
        })
      },
    ),
    { numRuns: 25 },
  )
})

test('the total effect in a linear-Gaussian graph is the sum over paths', () => {
  tf.tidy(() => {
    // a -> m -> y and a -> y: TE = 0.3 + 0.5 * 0.8; the effect of m on y is 0.8, of y on a nothing.
    const graph = linearGaussian(
      [
        [0, 0.5, 0.3],
        [0, 0, 0.8],
        [0, 0, 0],
      ],
      [0, 0.1, -0.2],
      [0, -0.5, -1],
    )
    const effect = (cause: string, of: string) => {
      const at = (value: number) => graph.sample(torchRandn(5), 64, { [cause]: value })[of]!
      return at(1).sub(at(0)).mean().dataSync()[0]!
    }
    expect(effect('x0', 'x2')).toBeCloseTo(0.7, 5)
    expect(effect('x1', 'x2')).toBeCloseTo(0.8, 5)
    expect(effect('x2', 'x0')).toBe(0)
    // Held at its natural value, the mediator leaves the direct effect.
    const natural = graph.sample(torchRandn(5), 64, { x0: 0 })
    const direct = graph
      .counterfactual(natural, { x0: 1, x1: natural.x1! }, torchRandn(0))
      .x2!.sub(natural.x2!)
    expect(direct.mean().dataSync()[0]).toBeCloseTo(0.3, 5)
  })
})

const mixed = () =>
  causalGraph({
    sex: { mechanism: bernoulli() },
    age: { mechanism: flow([linearRationalSplineTransform(), affineTransform()]) },
    finding: {
      parents: ['age', 'sex'],
      mechanism: categorical({ classes: 3, parents: 2, hidden: [8], seed: 1 }),
    },
    volume: { parents: ['age'], mechanism: linearRationalSpline({ parents: 1, hidden: [8], seed: 2 }) },
    thickness: {
      parents: ['volume', 'finding'],
      mechanism: rationalQuadraticSpline({ parents: 4, hidden: [8], seed: 3 }),
    },
    ratio: {
      parents: ['volume', 'thickness'],
      mechanism: deterministic((pa) => tf.add(pa.volume!, pa.thickness!)),
    },
  })

test('a null intervention is the identity, on every variable and by every equation', () => {
  const graph = mixed()
  tf.tidy(() => {
    const random = torchRandn(6)
    const seen = graph.sample(random, 500)
    const same = graph.counterfactual(seen, { age: seen.age!, sex: seen.sex! }, random)
    const all = graph.predict(graph.abduct(seen, random))
    for (const name of graph.order) {
      expect(tf.max(tf.abs(same[name]!.sub(seen[name]!))).dataSync()[0], name).toBeLessThan(1e-5)
      expect(tf.max(tf.abs(all[name]!.sub(seen[name]!))).dataSync()[0], name).toBeLessThan(1e-5)
    }
  })
  graph.dispose()
})

test('what the action cannot move keeps its value to the bit, and an effect never moves its cause', () => {
  const graph = mixed()
  tf.tidy(() => {
    const seen = graph.sample(torchRandn(7), 50)
    const answer = graph.counterfactual(seen, { finding: 0 }, torchRandn(8))
    for (const name of ['sex', 'age', 'volume'])
      expect([...answer[name]!.dataSync()]).toEqual([...seen[name]!.dataSync()])
    expect([...answer.ratio!.dataSync()]).not.toEqual([...seen.ratio!.dataSync()])
    const { thickness: _, ratio: __, ...some } = seen
    expect(Object.keys(graph.counterfactual(some, { finding: 1 }, torchRandn(8))).sort()).toEqual([
      'age',
      'finding',
      'sex',
      'volume',
    ])
    const { volume: ___, ...holed } = seen
    expect(() => graph.counterfactual(holed, { age: 0 }, torchRandn(8))).toThrow(
      'no value of "volume" in volume -> thickness',
    )
  })
  graph.dispose()
})

test('there and back returns the facts of invertible variables', () => {
  const graph = mixed()
  tf.tidy(() => {
    const seen = graph.sample(torchRandn(9), 200)
    const { finding: _, thickness: __, ratio: ___, ...continuous } = seen
    const there = graph.counterfactual(continuous, { age: 0.4 }, torchRandn(1))
    const back = graph.counterfactual(there, { age: seen.age! }, torchRandn(1))
    expect(tf.max(tf.abs(back.volume!.sub(seen.volume!))).dataSync()[0]).toBeLessThan(1e-4)
  })
  graph.dispose()
})

test('averaged over abduction, counterfactuals of a class have the interventional distribution', () => {
  const graph = causalGraph({
    age: { mechanism: affine() },
    finding: {
      parents: ['age'],
      mechanism: bernoulli({
        parents: 1,
        parameters: new Map<string, tf.Tensor>([
          ['net.0.weight', tf.tensor2d([[2]])],
          ['net.0.bias', tf.tensor1d([0.5])],
        ]),
      }),
    },
  })
  tf.tidy(() => {
    const n = 40000
    const seen = graph.sample(torchRandn(10), n)
    const rate = graph.counterfactual(seen, { age: 0.3 }, torchRandn(11)).finding!.mean().dataSync()[0]!
    const p = 1 / (1 + Math.exp(-1.1))
    expect(Math.abs(rate - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n))
  })
  graph.dispose()
})
