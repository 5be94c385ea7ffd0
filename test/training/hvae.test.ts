import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NumericError, ShapeError, type TorchRandom, torchRandn } from '../../src/core/index.js'
import { type NamedParameters, parameterTree } from '../../src/nn/index.js'
import {
  bernoulli,
  causalGraph,
  type HvaeParameters,
  hvaeConfig,
  hvaeCounterfactual,
  hvaeMechanism,
  type PredictorConfig,
  predictorNll,
  torchNoise,
} from '../../src/scm/index.js'
import {
  disposeTrainingState,
  fitCounterfactual,
  fitHvae,
  fitPredictors,
  type HvaeData,
  type HvaeFitOptions,
  initialHvae,
  initialPredictors,
  LAGRANGE,
  type TrainingState,
} from '../../src/training/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contrafact-hvae-fit-'))
})
afterAll(() => rm(folder, { recursive: true }))

const config = hvaeConfig({
  input_res: 8,
  enc_arch: '8b1d2,4b1d4,1b1',
  dec_arch: '1b1,4b1,8b1',
  widths: [8, 8, 16],
  bottleneck: 2,
  z_dim: 2,
  z_max_res: 4,
  context_dim: 1,
  std_init: 0.2,
  vr: 'light',
})

// A bright half, left or right as the cause says, of a strength that nobody says.
function halves(random: TorchRandom, batch = 8): HvaeData {
  const [sides, strengths] = [random.integers(batch, 0, 2), random.uniform(batch)]
  const x = Array.from({ length: batch * 64 }, (_, i) => {
    const [each, column] = [Math.floor(i / 64), i % 8]
    return column >= 4 === (sides[each] === 1) ? 0.5 + 0.4 * strengths[each]! : 0.1
  })
  return { x: tf.tensor4d(x, [batch, 8, 8, 1]), parents: tf.tensor2d([...sides], [batch, 1]) }
}
const data = (_: number, random: TorchRandom) => halves(random)
const options: HvaeFitOptions = { steps: 6, learningRate: 5e-3, warmup: 2, betaWarmup: 4, seed: 0 }

async function run(change: Partial<HvaeFitOptions>, from = data): Promise<TrainingState> {
  const initial = initialHvae(config, 0)
  try {
    return await fitHvae(config, initial, from, { ...options, ...change })
  } finally {
    tf.dispose([...initial.values()])
  }
}
const losses = ({ curve }: TrainingState) => curve.map(({ loss }) => loss)
const bytes = (named: NamedParameters) => [...named.values()].flatMap((tensor) => [...tensor.dataSync()])

test('fresh weights: priors start at N(0, 1), biases at 0, the same for the same seed', () =>
  tf.tidy(() => {
    const [a, b] = [initialHvae(config, 3), initialHvae(config, 3)]
    expect(bytes(a)).toEqual(bytes(b))
    expect(tf.max(tf.abs(a.get('decoder.blocks.1.prior.conv.3.weight')!)).dataSync()[0]).toBe(0)
    expect(tf.max(tf.abs(a.get('decoder.bias.1')!)).dataSync()[0]).toBe(0)
    expect(a.get('likelihood.x_logscale.bias')!.dataSync()[0]).toBeCloseTo(Math.log(0.2), 6)
  }))

test('learns, and a run that was stopped goes on to the same curve and weights', async () => {
  const path = join(folder, 'stopped.safetensors')
  const whole = await run({ settings: { config } })
  const controller = new AbortController()
  const stopped = run({
    settings: { config },
    checkpoint: { path, every: 2 },
    signal: controller.signal,
    onProgress: ({ done }) => done === 3 && controller.abort(),
  })
  await expect(stopped).rejects.toThrow(/aborted|abort/)
  const resumed = await run({ settings: { config }, checkpoint: { path, every: 2 } })
  expect(losses(resumed)).toEqual(losses(whole))
  expect(bytes(resumed.average)).toEqual(bytes(whole.average))
  expect(losses(whole).at(-1)).toBeLessThan(losses(whole)[0]!)
  disposeTrainingState(whole)
  disposeTrainingState(resumed)
})

test('a step whose gradients are beyond the limit moves nothing, and counts', async () => {
  const state = await run({ steps: 2, skip: 1e-9 })
  const initial = initialHvae(config, 0)
  expect(bytes(state.parameters)).toEqual(bytes(initial))
  expect(state.step).toBe(2)
  expect(state.curve).toHaveLength(2)
  disposeTrainingState(state)
  tf.dispose([...initial.values()])
})

test('a loss that is not a number stops, names the mechanism, and leaves the last checkpoint', async () => {
  const path = join(folder, 'broken.safetensors')
  const spoilt = (step: number, random: TorchRandom): HvaeData => {
    const { x, parents } = halves(random)
    if (step < 3) return { x, parents }
    x.dispose()
    return { x: tf.fill([8, 8, 8, 1], Number.NaN), parents }
  }
  const failing = run({ mechanism: 'xray', checkpoint: { path, every: 1 } }, spoilt)
  await expect(failing).rejects.toThrow(NumericError)
  await expect(failing).rejects.toThrow(/mechanism xray .*step 3/)
  expect((await readFile(path)).subarray(0, 4000).toString('latin1')).toContain('"step":"3"')
})

test('pictures of another size are refused', async () => {
  const large = (_: number, random: TorchRandom): HvaeData => {
    const { x, parents } = halves(random)
    x.dispose()
    return { x: tf.zeros([8, 16, 16, 1]), parents }
  }
  const before = tf.memory().numTensors
  await expect(run({}, large)).rejects.toThrow(ShapeError)
  // What the caller's own data function made stays the caller's when it does not fit.
  const left = tf.memory().numTensors - before
  expect(left).toBe(0)
})

describe('readers and fine-tuning', () => {
  const readers: PredictorConfig = {
    widths: [4, 8],
    channels: 1,
    heads: { side: { kind: 'binary', width: 1 } },
  }
  const observed = (_: number, random: TorchRandom) => {
    const { x, parents } = halves(random)
    return { x, values: { side: parents } }
  }

  test('readers learn the cause; fine-tuning raises its effect and keeps the multiplier at or above zero', async () => {
    const fresh = initialPredictors(readers, 0)
    const predictors = await fitPredictors(readers, fresh, observed, {
      steps: 40,
      learningRate: 2e-2,
      seed: 1,
    })
    tf.dispose([...fresh.values()])
    expect(losses(predictors).at(-1)).toBeLessThan(0.3)

    const fitted = await run({ steps: 10, learningRate: 1e-2 })
    using graph = causalGraph({
      side: { mechanism: bernoulli() },
      picture: {
        parents: ['side'],
        mechanism: hvaeMechanism({
          config,
          named: new Map(),
          parameters: parameterTree<HvaeParameters>(fitted.parameters),
        }),
      },
    })
    const parts = {
      graph,
      image: 'picture',
      config,
      predictors: { config: readers, parameters: predictors.parameters },
    }
    const tune = (steps: number) =>
      fitCounterfactual(
        parts,
        fitted.parameters,
        (_, random) => {
          const { x, parents } = halves(random)
          return { picture: x, side: parents }
        },
        { steps, learningRate: 3e-3, warmup: 0, seed: 2, constraint: 6, damping: 1 },
      )
    const tuned = await tune(8)
    expect(tuned.parameters.get(LAGRANGE)!.dataSync()[0]).toBeGreaterThanOrEqual(0)
    const again = await tune(2)
    expect(losses(again)).toEqual(losses(tuned).slice(0, 2))

    const unseen = (named: NamedParameters) =>
      tf.tidy(() => {
        const { x, parents } = halves(torchRandn(9), 16)
        const others = tf.sub<tf.Tensor2D>(1, parents)
        const model = { config, named, parameters: parameterTree<HvaeParameters>(named) }
        const { image } = hvaeCounterfactual(model, x, parents, others, { draw: torchNoise(torchRandn(4)) })
        return predictorNll(predictors.parameters, readers, image, { side: others }).dataSync()[0]!
      })
    expect(unseen(tuned.parameters)).toBeLessThan(unseen(fitted.parameters))
    for (const state of [predictors, fitted, tuned, again]) disposeTrainingState(state)
  })
})
