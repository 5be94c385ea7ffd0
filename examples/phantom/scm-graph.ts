import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { torchRandn } from 'contrafact/core'
import {
  affineTransform,
  bernoulli,
  type CausalGraph,
  causalGraph,
  flow,
  linearRationalSplineTransform,
  type Values,
  type Variables,
} from 'contrafact/scm'
import { disposeTrainingState, fitMechanisms } from 'contrafact/training'
import { effusionRisk, type Patient, structuralEquations, training } from './causal-graph.js'
import { ageUnit, patientValues, type Telling } from './scm-data.js'

// The phantoms' graph, twice: as the structural causal model is told it, and the whole truth.

const NET = { hidden: [8], activation: 'tanh' } as const

const told = (): Variables => ({
  sex: { mechanism: bernoulli() },
  age: { mechanism: flow([linearRationalSplineTransform(), affineTransform()]) },
  cardiomegaly: { parents: ['age'], mechanism: bernoulli({ parents: 1, ...NET, seed: 1 }) },
  effusion: { parents: ['age'], mechanism: bernoulli({ parents: 1, ...NET, seed: 2 }) },
  line: { mechanism: bernoulli() },
})

/** What the model is told: no pacemaker, and nothing of the need of support behind it and the line. */
export const toldGraph = (): CausalGraph => causalGraph(told())

/** Every arrow of the generator, the hidden need of support included. */
export const trueGraph = (): CausalGraph =>
  causalGraph({
    ...told(),
    support: { mechanism: bernoulli() },
    pacemaker: {
      parents: ['cardiomegaly', 'support'],
      mechanism: bernoulli({ parents: 2, ...NET, seed: 3 }),
    },
    line: { parents: ['support'], mechanism: bernoulli({ parents: 1, seed: 4 }) },
  })

/** The graph of a telling, its weights fresh. */
export const graphOf = (telling: Telling): CausalGraph => (telling === 'told' ? toldGraph() : trueGraph())

/** A graph fitted to phantom attributes by maximum likelihood; owned by the caller. */
export async function fittedGraph(
  make: () => CausalGraph,
  patients: number,
  steps = 400,
  seed = 0,
): Promise<CausalGraph> {
  using initial = make()
  const data = patientValues(
    Array.from({ length: patients }, (_, i) => training(i)),
    initial.order,
  )
  try {
    const options = {
      steps,
      seed,
      learningRate: 0.02,
      schedule: 'cosine',
      batch: 512,
      adamW: { weightDecay: 0 },
    } as const
    const state = await fitMechanisms(initial, data, options)
    const weights = new Map([...state.average].map(([name, tensor]) => [name, tensor.clone()]))
    disposeTrainingState(state)
    return initial.with(weights)
  } finally {
    tf.dispose(data)
  }
}

/** An average over patients with its 95 % interval (normal approximation). */
export interface Effect {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** How much `do(action)` moves a variable: counterfactual less fact, averaged over patients. */
export function effectOf(
  graph: CausalGraph,
  seen: Values,
  action: Record<string, number>,
  of: string,
): Effect {
  const moved = tf.tidy(() => graph.counterfactual(seen, action, torchRandn(1))[of]!.sub(seen[of]!))
  try {
    return interval([...moved.dataSync()])
  } finally {
    moved.dispose()
  }
}

/** The same by the generator itself, whose noise is known. */
export function trueEffect(patients: readonly Patient[], years: number): Effect {
  return interval(
    patients.map(({ exogenous, attributes }) => {
      const after = structuralEquations(exogenous, { age: years })
      return Number(after.effusion) - Number(attributes.effusion)
    }),
  )
}

function interval(values: readonly number[]): Effect {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1)
  const half = 1.96 * Math.sqrt(variance / values.length)
  return { mean, low: mean - half, high: mean + half }
}

async function main(): Promise<void> {
  await useBackend()
  const show = ({ mean, low, high }: Effect) => `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  const patients = Array.from({ length: 2000 }, (_, i) => training(20000 + i))
  for (const [name, make] of [
    ['told', toldGraph],
    ['whole truth', trueGraph],
  ] as const) {
    using graph = await fittedGraph(make, 8000)
    const seen = patientValues(patients, graph.order)
    for (const years of [25, 62, 85]) {
      console.log(
        `${name}: do(age = ${years}) moves effusion by ${show(effectOf(graph, seen, { age: ageUnit(years) }, 'effusion'))},`,
        `in truth by ${show(trueEffect(patients, years))};`,
        `P(effusion) planted ${effusionRisk(years).toFixed(3)}`,
      )
    }
    console.log(`${name}: do(effusion) moves age by ${show(effectOf(graph, seen, { effusion: 1 }, 'age'))}`)
    if ('pacemaker' in graph.variables) {
      console.log(
        `${name}: do(no cardiomegaly) moves the pacemaker by ${show(effectOf(graph, seen, { cardiomegaly: 0 }, 'pacemaker'))}`,
      )
    }
    tf.dispose(seen)
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
