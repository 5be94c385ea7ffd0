import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArgumentError, BackendError, CheckpointError } from '../../src/core/index.js'
import {
  binaryEffectiveness,
  classEffectiveness,
  column,
  loadOnnxClassifier,
  numericEffectiveness,
  type OnnxRuntime,
  opNorm,
  predictionFlips,
  predictionGain,
  tfjsClassifier,
} from '../../src/metrics/classifier/index.js'
import onnx from '../fixtures/metrics-onnx.json' with { type: 'json' }
import { hashLevels } from '../support/name-hash.js'
import { near, statistics } from './statistics-fixture.js'

const reference = statistics.effectiveness

test('effectiveness agrees with scikit-learn', () => {
  const wanted = reference.wanted.map(Boolean)
  const { auc, accuracy, f1 } = binaryEffectiveness(reference.score, wanted)
  near(auc, reference.auc)
  near(accuracy, reference.accuracy)
  near(f1, reference.f1)
  const race = classEffectiveness(reference.soft, reference.races)
  near(race.macroAuc, reference.macroAuc)
  near(race.accuracy, reference.raceAccuracy)
  near(numericEffectiveness(reference.guessed, reference.ages).mae, reference.mae)
})

test('one class has no area; nothing positive has no F1', () => {
  expect(binaryEffectiveness([0.1, 0.2], [false, false])).toMatchObject({
    auc: Number.NaN,
    accuracy: 1,
    f1: Number.NaN,
    flags: ['one-class'],
  })
  const soft = [
    [0.6, 0.4],
    [0.3, 0.7],
  ]
  expect(classEffectiveness(soft, [0, 0])).toMatchObject({
    macroAuc: Number.NaN,
    accuracy: 0.5,
    flags: ['one-class'],
  })
})

test('the gain goes the way that was asked', () => {
  const { unsigned, signed, signedLogit, unsignedLogit, flags, n } = predictionGain({
    before: [0.2, 0.8],
    after: [0.5, 0.9],
    direction: [1, -1],
  })
  near(unsigned.mean, 0.2)
  near(signed.mean, 0.1)
  near(signedLogit.perImage[0]!, Math.log(4))
  near(signedLogit.perImage[1]!, Math.log(4) - Math.log(9))
  near(unsignedLogit.mean, Math.log(9) / 2)
  expect({ flags, n }).toEqual({ flags: [], n: 2 })
})

test('certain probabilities have a finite logit, flagged', () => {
  const { signedLogit, flags } = predictionGain({ before: [0], after: [1], direction: 1 })
  near(signedLogit.mean, 2 * Math.log((1 - 1e-6) / 1e-6))
  expect(flags).toEqual(['clipped-probability'])
})

test('flips count both ways; the threshold itself is positive', () => {
  expect(predictionFlips([0.4, 0.6, 0.5, 0.1], [0.5, 0.4, 0.9, 0.2])).toEqual({
    rate: 0.5,
    toPositive: 1,
    toNegative: 1,
    perImage: [1, -1, 0, 0],
    n: 4,
  })
})

test('recalibration: goldens, continuity, order, and what it does to effects', () => {
  const t = 0.19712
  near(opNorm(0.3, t), 0.5640693503, 1e-9)
  near(opNorm(0.1, t), 0.2536525974, 1e-9)
  near(opNorm(t, t), 0.5, 1e-12)
  near(opNorm(t - 1e-12, t), 0.5, 1e-9)
  expect(opNorm(0.3, Number.NaN)).toBe(0.5)
  const slopeAt = (p: number) => (opNorm(p + 1e-6, t) - opNorm(p, t)) / 1e-6
  near(slopeAt(0.1) / slopeAt(0.3), (1 - t) / t, 1e-6)
  const probability = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(probability, probability, (a, b) => {
      expect(opNorm(Math.min(a, b), t)).toBeLessThanOrEqual(opNorm(Math.max(a, b), t))
    }),
  )
  expect(() => opNorm(0.5, 1)).toThrow(ArgumentError)
  expect(() => opNorm(1.5, t)).toThrow(ArgumentError)
})

test('what is no probability, or not parallel, is refused', () => {
  const cases: (() => unknown)[] = [
    () => predictionGain({ before: [], after: [], direction: 1 }),
    () => predictionGain({ before: [0.5], after: [0.5, 0.6], direction: 1 }),
    () => predictionGain({ before: [0.5], after: [Number.NaN], direction: 1 }),
    () => predictionGain({ before: [0.5], after: [0.6], direction: [1, 1] }),
    () => predictionFlips([1.2], [0.5]),
    () => binaryEffectiveness([0.5], []),
    () => classEffectiveness([[0.5, 0.5]], [2]),
    () => classEffectiveness([[0.5, 0.5], [1]], [0, 0]),
    () => numericEffectiveness([Number.NaN], [1]),
    () => column([[0.1], []], 0),
  ]
  for (const call of cases) expect(call).toThrow(ArgumentError)
})

const images = () => tf.tensor4d([0, 0.5, 1, 1], [2, 1, 2, 1])

test('a TensorFlow.js model becomes a classifier', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [1, 2, 1] }),
      tf.layers.dense({ units: 3, kernelInitializer: 'ones' }),
    ],
  })
  const x = images()
  const rows = await tfjsClassifier(model, { activation: 'sigmoid' })(x)
  for (const value of rows[0]!) near(value, 1 / (1 + Math.exp(-0.5)), 1e-6)
  near((await tfjsClassifier(model)(x))[1]![2]!, 2, 1e-6)
  near((await tfjsClassifier(model, { activation: 'softmax' })(x))[1]![2]!, 1 / 3, 1e-6)
  const doubled = await tfjsClassifier(model, { prepare: (pixels) => pixels.mul(2) })(x)
  near(doubled[1]![0]!, 4, 1e-6)
  expect(await tfjsClassifier({ predict: (pixels) => pixels as tf.Tensor })(x)).toEqual([
    [0, 0.5],
    [1, 1],
  ])
  const two = { predict: (pixels: tf.Tensor | tf.Tensor[]) => [pixels, pixels] as tf.Tensor[] }
  await expect(tfjsClassifier(two)(x)).rejects.toThrow('one output')
  await expect(tfjsClassifier({ predict: () => tf.zeros([3]) })(x)).rejects.toThrow(
    '3 numbers for 2 pictures',
  )
  x.dispose()
  model.dispose()
})

// The part of onnxruntime that the adapter uses: sums what it is fed.
function fakeRuntime(inputs = ['x']) {
  const seen: { shapes: (readonly number[])[]; released: number } = { shapes: [], released: 0 }
  class Feed {
    readonly data: Float32Array
    readonly shape: readonly number[]
    constructor(_type: 'float32', data: Float32Array, shape: readonly number[]) {
      this.data = data
      this.shape = shape
      seen.shapes.push(shape)
    }
  }
  const session = {
    inputNames: inputs,
    outputNames: ['a', 'b'],
    run: async (feeds: Record<string, unknown>) => {
      const { data, shape } = feeds.x as Feed
      return { a: { data: data.slice(0, shape[0]) }, b: { data: new Float32Array(2 * shape[0]!) } }
    },
    release: async () => {
      seen.released++
    },
  }
  const runtime: OnnxRuntime = {
    InferenceSession: { create: async () => session },
    Tensor: Feed,
  }
  return { runtime, seen }
}

test('an ONNX file becomes a classifier, channels first', async () => {
  const { runtime, seen } = fakeRuntime()
  const { predict, dispose } = await loadOnnxClassifier('model.onnx', { runtime })
  const x = images()
  expect(await predict(x)).toEqual([[0], [0.5]])
  expect(seen.shapes).toEqual([[2, 1, 1, 2]])
  const other = await loadOnnxClassifier('model.onnx', { runtime, output: 'b', prepare: (pixels) => pixels })
  expect(await other.predict(x)).toEqual([
    [0, 0],
    [0, 0],
  ])
  x.dispose()
  await dispose()
  await dispose()
  expect(seen.released).toBe(1)
})

test('a network that does not fit is released and refused', async () => {
  const { runtime, seen } = fakeRuntime(['x', 'mask'])
  await expect(loadOnnxClassifier('m.onnx', { runtime })).rejects.toThrow('x, mask')
  await expect(loadOnnxClassifier('m.onnx', { runtime: fakeRuntime().runtime, output: 'c' })).rejects.toThrow(
    'a, b',
  )
  expect(seen.released).toBe(1)
})

// The peer is optional: these run where it is installed (npm install --no-save onnxruntime-node), that one where not.
const installed = await import('onnxruntime-node' as string).then(
  () => true,
  () => false,
)

test.runIf(installed)('onnxruntime-node itself runs a network as its Python does', async () => {
  const path = join(import.meta.dirname, '../fixtures/metrics-onnx.onnx')
  const x = hashLevels('onnx.x', [3, 1, 10, 14])
  const expectRows = (rows: readonly (readonly number[])[], wanted: readonly (readonly number[])[]) =>
    rows.forEach((row, i) => row.forEach((value, j) => near(value, wanted[i]![j]!, 1e-5)))
  const first = await loadOnnxClassifier(path)
  expectRows(await first.predict(x), onnx.probabilities)
  await first.dispose()
  await first.dispose()
  const logits = await loadOnnxClassifier(new Uint8Array(await readFile(path)), { output: 'logits' })
  expectRows(await logits.predict(x), onnx.logits)
  const turned = await loadOnnxClassifier(path, { prepare: (images) => images.transpose([0, 3, 1, 2]) })
  expectRows(await turned.predict(x), onnx.probabilities)
  // Another number of channels, and what is no network: the runtime's refusals, in this library's words.
  await expect(loadOnnxClassifier(path, { output: 'classes' })).rejects.toThrow('probabilities, logits')
  const colour = tf.zeros<tf.Rank.R4>([1, 10, 14, 3])
  await expect(first.predict(x)).rejects.toThrow(ArgumentError)
  await expect(turned.predict(colour)).rejects.toThrow(ArgumentError)
  await expect(loadOnnxClassifier(new Uint8Array(8))).rejects.toThrow(CheckpointError)
  await expect(loadOnnxClassifier('nowhere.onnx')).rejects.toThrow(/nowhere\.onnx/)
  tf.dispose([x, colour])
  await Promise.all([logits.dispose(), turned.dispose()])
})

test.skipIf(installed)('without onnxruntime-node the error says what to install', async () => {
  const failure = loadOnnxClassifier('model.onnx')
  await expect(failure).rejects.toThrow(BackendError)
  await expect(failure).rejects.toThrow('npm install onnxruntime-node')
})
