import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { effusionRisk, training } from '../../examples/phantom/causal-graph.js'
import { ageUnit, patientValues } from '../../examples/phantom/scm-data.js'
import { effectOf, fittedGraph, toldGraph } from '../../examples/phantom/scm-graph.js'
import { NumericError, torchRandn } from '../../src/core/index.js'
import { affine, bernoulli, causalGraph, type Values } from '../../src/scm/index.js'
import { disposeTrainingState, fitMechanisms } from '../../src/training/index.js'

const small = () =>
  causalGraph({
    age: { mechanism: affine() },
    finding: { parents: ['age'], mechanism: bernoulli({ parents: 1 }) },
  })

function rows(n: number): Values {
  const random = torchRandn(0)
  const age = random.normal(n).map((e) => 0.5 + 0.3 * e)
  const u = random.uniform(n)
  const finding = age.map((a, i) => Number(u[i]! < 1 / (1 + Math.exp(-(2 * a - 1)))))
  return { age: tf.tensor2d(age, [n, 1]), finding: tf.tensor2d(finding, [n, 1]) }
}

test('maximum likelihood finds the planted location and scale, and resumes to the same curve', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scm-'))
  using graph = small()
  const data = rows(1000)
  const options = { learningRate: 0.1, seed: 0, ema: 0, adamW: { weightDecay: 0 }, batch: 200, clip: 100 }
  const whole = await fitMechanisms(graph, data, { ...options, steps: 60 })
  const checkpoint = { path: join(folder, 'run.safetensors'), every: 10 }
  disposeTrainingState(await fitMechanisms(graph, data, { ...options, steps: 30, checkpoint }))
  const resumed = await fitMechanisms(graph, data, { ...options, steps: 60, checkpoint })
  expect(resumed.curve).toEqual(whole.curve)
  expect(whole.parameters.get('age/location')!.dataSync()[0]).toBeCloseTo(0.5, 1)
  expect(Math.exp(whole.parameters.get('age/logScale')!.dataSync()[0]!)).toBeCloseTo(0.3, 1)
  tf.dispose([...Object.values(data)])
  disposeTrainingState(whole)
  disposeTrainingState(resumed)
  await rm(folder, { recursive: true })
})

test('a loss that is not a number names the mechanism', async () => {
  using graph = small()
  const data = rows(50)
  const broken = new Map(
    [...graph.parameters].map(([name, p]) => [
      name,
      name === 'finding/net.0.bias' ? tf.fill(p.shape, Number.NaN) : p,
    ]),
  )
  const run = fitMechanisms(graph.with(broken), { age: data.age! }, { steps: 1, learningRate: 0.1, seed: 0 })
  disposeTrainingState(await run)
  // The check before the fit reads only the data; the loss is where it shows.
  await expect(
    fitMechanisms(graph.with(broken), data, { steps: 1, learningRate: 0.1, seed: 0 }),
  ).rejects.toThrow(/the mechanism of "finding" needs a finite likelihood; got a loss of NaN/)
  await expect(
    fitMechanisms(graph.with(broken), data, { steps: 1, learningRate: 0.1, seed: 0 }),
  ).rejects.toThrow(NumericError)
  broken.get('finding/net.0.bias')!.dispose()
  tf.dispose([...Object.values(data)])
})

test('fitted on phantoms, do(age) moves effusion as planted and do(effusion) leaves age alone', async () => {
  using graph = await fittedGraph(toldGraph, 3000, 80)
  const patients = Array.from({ length: 1500 }, (_, i) => training(20000 + i))
  const seen = patientValues(patients, graph.order)
  const observed = patients.filter(({ attributes }) => attributes.effusion).length / patients.length
  for (const years of [30, 80]) {
    const { low, high } = effectOf(graph, seen, { age: ageUnit(years) }, 'effusion')
    const planted = effusionRisk(years) - observed
    // The interval is of these patients; the fit's own error comes on top.
    expect(planted).toBeGreaterThan(low - 0.05)
    expect(planted).toBeLessThan(high + 0.05)
  }
  expect(effectOf(graph, seen, { effusion: 1 }, 'age')).toEqual({ mean: 0, low: 0, high: 0 })
  tf.dispose([...Object.values(seen)])
})
