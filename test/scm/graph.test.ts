import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArgumentError, ShapeError, torchRandn } from '../../src/core/index.js'
import {
  affine,
  bernoulli,
  type CausalGraph,
  categorical,
  causalGraph,
  deterministic,
  topologicalOrder,
} from '../../src/scm/index.js'

const findings = () =>
  causalGraph({
    finding: { parents: ['age', 'sex'], mechanism: categorical({ classes: 3, parents: 2, hidden: [4] }) },
    age: { mechanism: affine() },
    sex: { mechanism: bernoulli() },
  })

function using(graph: CausalGraph, work: (graph: CausalGraph) => void): void {
  try {
    tf.tidy(() => {
      work(graph)
    })
  } finally {
    graph.dispose()
  }
}

test('causes come before effects, whatever the order of declaration', () => {
  using(findings(), ({ order }) => expect(order).toEqual(['age', 'sex', 'finding']))
})

test('any acyclic graph is ordered, and any back arrow is refused with its path', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), { minLength: 6, maxLength: 6 }),
      (m) => {
        const names = ['a', 'b', 'c', 'd', 'e', 'f']
        // Only arrows from later to earlier letters: acyclic by construction, declared against the order.
        const parents = new Map(names.map((n, i) => [n, names.filter((_, j) => j > i && m[i]![j]!)]))
        const order = topologicalOrder(parents)
        for (const [n, own] of parents)
          for (const p of own) expect(order.indexOf(p)).toBeLessThan(order.indexOf(n))
        for (const [n, own] of parents) {
          if (own.length === 0) continue
          const looped = new Map(parents).set(own[0]!, [...parents.get(own[0]!)!, n])
          expect(() => topologicalOrder(looped)).toThrow(/no cycle; got .* -> /)
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('a cycle, an unknown and a repeated parent name the path', () => {
  const f = deterministic(() => tf.zeros([1, 1]))
  const cycle = {
    a: { parents: ['c'], mechanism: f },
    b: { parents: ['a'], mechanism: f },
    c: { parents: ['b'], mechanism: f },
  }
  expect(() => causalGraph(cycle)).toThrow('a causal graph has no cycle; got a -> b -> c -> a')
  expect(() => causalGraph({ a: { parents: ['a'], mechanism: f } })).toThrow('a -> a')
  expect(() => causalGraph({ a: { parents: ['ghost'], mechanism: f } })).toThrow(
    'unknown "ghost" in ghost -> a',
  )
  expect(() => causalGraph({ a: { mechanism: f }, b: { parents: ['a', 'a'], mechanism: f } })).toThrow(
    /each parent once/,
  )
})

test('a mechanism of another width names the arrows', () => {
  const mechanism = bernoulli({ parents: 3 })
  expect(() =>
    causalGraph({
      a: { mechanism: deterministic(() => tf.zeros([1, 1])) },
      b: { parents: ['a'], mechanism },
    }),
  ).toThrow(
    'the bernoulli mechanism of "b" joins parents of width 3; got a (1) -> b. Make it with parents: 1.',
  )
  tf.dispose([...mechanism.parameters.values()])
})

test('observations are checked: name, shape, support, parents', () => {
  using(findings(), (graph) => {
    const [age, sex] = [tf.zeros([2, 1]), tf.zeros([2, 1])]
    const finding = tf.tensor2d([
      [1, 0, 0],
      [0, 1, 0],
    ])
    const random = torchRandn(0)
    expect(() => graph.logProb({ age, weight: sex })).toThrow('got "weight"')
    expect(() => graph.logProb({})).toThrow(/at least one variable/)
    expect(() => graph.logProb({ age, finding })).toThrow('no value of "sex" in sex -> finding')
    expect(() => graph.abduct({ finding }, random)).toThrow('no value of "age" in age -> finding')
    expect(() => graph.logProb({ age, sex: sex.add(0.5) })).toThrow(
      '"sex" of a bernoulli mechanism is 0 or 1; got 0.5',
    )
    expect(() => graph.logProb({ age, sex, finding: finding.add(1) })).toThrow(/one-hot of 3 classes; got 2/)
    expect(() => graph.logProb({ age: age.div(0), sex })).toThrow(/any finite number; got NaN/)
    expect(() => graph.logProb({ age: tf.zeros([2, 2]), sex })).toThrow(ShapeError)
    expect(() => graph.logProb({ age, sex: tf.zeros([3, 1]) })).toThrow(ShapeError)
    expect(() => graph.predict({ finding: { e: finding } })).toThrow('age -> finding')
  })
})

test('impossible and contradictory actions are refused', () => {
  using(findings(), (graph) => {
    const seen = { age: tf.zeros([2, 1]), sex: tf.zeros([2, 1]) }
    const random = torchRandn(0)
    expect(() => graph.do({ weight: 1 })).toThrow(/do\(\.\) is of one of the variables/)
    expect(() => graph.do({ sex: 2 })).toThrow('a Bernoulli value is 0 or 1')
    expect(() => graph.do({ finding: 3 })).toThrow('a class is a whole number from 0 to 2')
    expect(() => graph.do({ age: Number.NaN })).toThrow(ArgumentError)
    expect(() => graph.do({ sex: tf.fill([1, 1], 0.3) })).toThrow(
      'do(sex) of a bernoulli mechanism is 0 or 1',
    )
    expect(() => graph.do({ age: 1 }).do({ age: 2 })).toThrow(
      'do(age) on a graph in which age is a constant already',
    )
    expect(() => graph.counterfactual(seen, { age: tf.zeros([3, 1]) }, random)).toThrow(
      /needs a value of shape/,
    )
    expect(() =>
      graph.counterfactual(
        { ...seen, finding: tf.oneHot([0, 1], 3).cast('float32'), age: seen.age.div(0) },
        { sex: 1 },
        random,
      ),
    ).toThrow(/any finite number/)
  })
})

test('do cuts the arrows into what is set, and carries it on', () => {
  using(findings(), (graph) => {
    const cut = graph.do({ finding: 2, sex: true })
    expect(cut.variables.finding!.parents ?? []).toEqual([])
    const drawn = cut.sample(torchRandn(1), 5)
    expect([...drawn.sex!.dataSync()]).toEqual([1, 1, 1, 1, 1])
    expect([...drawn.finding!.argMax(-1).dataSync()]).toEqual([2, 2, 2, 2, 2])
    const [logProb] = cut.logProb({ finding: tf.oneHot([1], 3).cast('float32') }).dataSync()
    expect(logProb).toBe(Number.NEGATIVE_INFINITY)
    const same = graph.sample(torchRandn(1), 5, { sex: 1, finding: 2 })
    expect([...same.age!.dataSync()]).toEqual([...drawn.age!.dataSync()])
    expect([...graph.descendants('sex')]).toEqual(['finding'])
    expect([...graph.descendants('finding')]).toEqual([])
  })
})

test('the joint log-likelihood is the sum over mechanisms, for any observed set that holds its parents', () => {
  using(findings(), (graph) => {
    const seen = graph.sample(torchRandn(3), 7)
    const all = graph.logProb(seen).dataSync()
    const sex = graph.variables.sex!.mechanism.logProb(seen.sex!, {}).dataSync()
    const age = graph.variables.age!.mechanism.logProb(seen.age!, {}).dataSync()
    const { age: a, sex: s } = seen
    const finding = graph.variables.finding!.mechanism.logProb(seen.finding!, { age: a!, sex: s! }).dataSync()
    all.forEach((total, i) => expect(total).toBeCloseTo(sex[i]! + age[i]! + finding[i]!, 5))
    expect([...graph.logProb({ sex: s! }).dataSync()]).toEqual([...sex])
  })
})

test('the same seed gives the same sample; weights can be exchanged', () => {
  using(findings(), (graph) => {
    const draw = (g: CausalGraph) => [...g.sample(torchRandn(4), 6).age!.dataSync()]
    expect(draw(graph)).toEqual(draw(graph))
    const moved = new Map([...graph.parameters].map(([n, p]) => [n, n === 'age/location' ? p.add(10) : p]))
    const shifted = draw(graph.with(moved))
    draw(graph).forEach((x, i) => expect(shifted[i]).toBeCloseTo(x + 10, 4))
  })
})
