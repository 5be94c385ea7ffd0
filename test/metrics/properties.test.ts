import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BackendName, useBackend } from '../../src/backend/index.js'
import {
  clipScore,
  directionalSimilarity,
  featureIdentity,
  fid,
  gaussianAccumulator,
  kid,
  l1,
  lpips,
  lpipsShapes,
  mse,
  msSsim,
  type PairMetric,
  psnr,
  ssim,
  structureDistance,
} from '../../src/metrics/index.js'
import { hashUniform } from '../support/name-hash.js'
import { networkWeights } from './network-weights.js'

// Before the members, because LPIPS owns tensors.
await useBackend((process.env.CONTRAFACT_BACKEND ?? 'wasm') as BackendName)
const named = networkWeights(lpipsShapes('alex'))
const features = (x: tf.Tensor4D) => tf.tidy(() => tf.mean(x, [1, 2]) as tf.Tensor2D)
const patches = (x: tf.Tensor4D) =>
  tf.tidy(() => tf.reshape(tf.avgPool(x, 5, 5, 'valid'), [x.shape[0], -1, x.shape[3]]) as tf.Tensor3D)

interface Member {
  readonly metric: PairMetric
  /** Where its values lie, for any two pictures. */
  readonly bounds: readonly [number, number]
  /** The smallest side. */
  readonly side: number
  /** Pictures tried. */
  readonly runs: number
  /** Only these channels, where not any. */
  readonly channels?: number
  /** Whether flipping both pictures changes nothing. */
  readonly mirrors: boolean
  /** Whether only equal pictures reach the value of equal pictures. */
  readonly separates: boolean
}

const plain = { side: 12, runs: 20, mirrors: true, separates: true }
const infinity = Number.POSITIVE_INFINITY
const members: readonly Member[] = [
  { metric: l1(), bounds: [0, 1], ...plain },
  { metric: mse(), bounds: [0, 1], ...plain },
  { metric: psnr(), bounds: [0, infinity], ...plain },
  { metric: psnr({ dialect: 'pooled' }), bounds: [0, infinity], ...plain },
  { metric: ssim(), bounds: [-1, 1], ...plain },
  { metric: ssim({ dialect: 'scikit-image' }), bounds: [-1, 1], ...plain },
  { metric: ssim({ dialect: 'torchmetrics-1.9' }), bounds: [-1, 1], ...plain },
  // Halving drops an odd last column, so that MS-SSIM of such a picture knows left from right.
  { metric: msSsim(), bounds: [0, 1], ...plain, side: 176, runs: 3, mirrors: false },
  { metric: featureIdentity(features), bounds: [-1, 1], ...plain, separates: false },
  { metric: structureDistance(patches), bounds: [0, 4], ...plain, mirrors: false, separates: false },
  { metric: lpips(named), bounds: [0, infinity], ...plain, side: 31, runs: 4, channels: 3, mirrors: false },
]

interface Pair {
  readonly seed: number
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  /** How far the second picture is from the first. */
  readonly strength: number
}

const pairs = ({ side, channels }: Member): fc.Arbitrary<Pair> =>
  fc.record({
    seed: fc.nat(1_000_000),
    batch: fc.integer({ min: 2, max: 3 }),
    height: fc.integer({ min: side, max: side + 5 }),
    width: fc.integer({ min: side, max: side + 5 }),
    channels: channels === undefined ? fc.constantFrom(1, 3) : fc.constant(channels),
    strength: fc.double({ min: 0.05, max: 1, noNaN: true }),
  })

function make({ seed, batch, height, width, channels, strength }: Pair): [tf.Tensor4D, tf.Tensor4D] {
  const shape: [number, number, number, number] = [batch, height, width, channels]
  const count = batch * height * width * channels
  const first = hashUniform(`first.${seed}`, count).map((u) => (u + 1) / 2)
  const noise = hashUniform(`noise.${seed}`, count)
  const second = first.map((x, i) => Math.min(1, Math.max(0, x + strength * noise[i]!)))
  return [tf.tensor4d(Float32Array.from(first), shape), tf.tensor4d(Float32Array.from(second), shape)]
}

const single = (x: tf.Tensor4D, i: number) => tf.slice(x, [i, 0, 0, 0], [1, -1, -1, -1])
const close = (found: number, wanted: number, tolerance = 1e-6) =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(tolerance)

describe.each(members.map((member) => [`${member.metric.metric} ${member.metric.dialect}`, member] as const))(
  '%s',
  (_, member) => {
    const { metric, bounds, runs, mirrors, separates } = member
    const check = (property: (x: tf.Tensor4D, y: tf.Tensor4D, pair: Pair) => Promise<void>) =>
      fc.assert(
        fc.asyncProperty(pairs(member), async (pair) => {
          const [x, y] = make(pair)
          try {
            await property(x, y, pair)
          } finally {
            tf.dispose([x, y])
          }
        }),
        { numRuns: runs },
      )

    test('stays in its bounds, either way round, and is the mean of its pairs', () =>
      check(async (x, y) => {
        const { value, perImage, n } = await metric(x, y)
        for (const each of [value, ...perImage!]) {
          expect(each).toBeGreaterThanOrEqual(bounds[0] - 1e-6)
          expect(each).toBeLessThanOrEqual(bounds[1] + 1e-6)
        }
        expect(perImage).toHaveLength(n)
        if (metric.dialect !== 'pooled') close(value, perImage!.reduce((a, b) => a + b, 0) / n)
        close((await metric(y, x)).value, value)
      }))

    test('a pair does not see its neighbours in the batch, nor their order', () =>
      check(async (x, y) => {
        const { value, perImage } = await metric(x, y)
        const [a, b] = [tf.reverse(x, 0), tf.reverse(y, 0)]
        const turned = await metric(a, b)
        close(turned.value, value)
        ;[...turned.perImage!].reverse().forEach((each, i) => close(each, perImage![i]!))
        const [one, other] = [single(x, 1), single(y, 1)]
        close((await metric(one, other)).perImage![0]!, perImage![1]!)
        tf.dispose([a, b, one, other])
      }))

    test('equal pictures have the value of equal pictures, and others do not', () =>
      check(async (x, y) => {
        const self = await metric(x, x)
        if (metric.identity === infinity) expect(self.value).toBe(infinity)
        else close(self.value, metric.identity!)
        if (!separates) return
        for (const each of (await metric(x, y)).perImage!)
          expect(metric.better === 'lower' ? each : -each).toBeGreaterThan(
            metric.better === 'lower' ? metric.identity! : -metric.identity!,
          )
      }))

    if (mirrors)
      test('flipping both pictures changes nothing', () =>
        check(async (x, y) => {
          const [a, b] = [tf.reverse(x, 2), tf.reverse(y, 2)]
          close((await metric(a, b)).value, (await metric(x, y)).value)
          tf.dispose([a, b])
        }))
  },
)

describe('among metrics', () => {
  const member = members[0]!
  const check = (property: (x: tf.Tensor4D, y: tf.Tensor4D) => Promise<void>) =>
    fc.assert(
      fc.asyncProperty(pairs(member), async (pair) => {
        const [x, y] = make(pair)
        await property(x, y)
        tf.dispose([x, y])
      }),
      { numRuns: 20 },
    )

  test('PSNR is the decibels of MSE; L1 squared is at most MSE', () =>
    check(async (x, y) => {
      const [errors, decibels, distances] = [await mse()(x, y), await psnr()(x, y), await l1()(x, y)]
      errors.perImage!.forEach((error, i) => {
        close(decibels.perImage![i]!, -10 * Math.log10(error))
        expect(distances.perImage![i]! ** 2).toBeLessThanOrEqual(error + 1e-12)
      })
    }))

  test('L1 obeys the triangle inequality', () =>
    check(async (x, y) => {
      const z = tf.reverse(x, 1)
      const [xy, yz, xz] = [await l1()(x, y), await l1()(y, z), await l1()(x, z)]
      xz.perImage!.forEach((each, i) =>
        expect(each).toBeLessThanOrEqual(xy.perImage![i]! + yz.perImage![i]! + 1e-9),
      )
      z.dispose()
    }))

  test('a stated range changes nothing but the units', () =>
    check(async (x, y) => {
      const signed = [x, y].map((t) => tf.tidy(() => tf.sub<tf.Tensor4D>(tf.mul(t, 2), 1)))
      const range = [-1, 1] as const
      for (const metric of [l1, psnr])
        close((await metric({ range })(signed[0]!, signed[1]!)).value, (await metric()(x, y)).value, 1e-4)
      // SSIM compares means by their ratio: it bears scaling, not shifting.
      const wide = [x, y].map((t) => tf.mul<tf.Tensor4D>(t, 255))
      const scaled = await ssim({ range: [0, 255] })(wide[0]!, wide[1]!)
      close(scaled.value, (await ssim()(x, y)).value, 1e-5)
      tf.dispose(wide)
      close((await mse({ range })(signed[0]!, signed[1]!)).value, 4 * (await mse()(x, y)).value, 1e-6)
      tf.dispose(signed)
    }))
})

// ---- sets of features

const sets = fc.record({
  seed: fc.nat(1_000_000),
  n: fc.integer({ min: 2, max: 14 }),
  m: fc.integer({ min: 2, max: 14 }),
  width: fc.integer({ min: 1, max: 6 }),
})
const table = (name: string, n: number, width: number) =>
  tf.tensor2d(Float32Array.from(hashUniform(name, n * width)), [n, width])
const relative = (found: number, wanted: number, scale = Math.abs(wanted)) =>
  close(found, wanted, 1e-4 * (1e-2 + scale))

/** Two sets for each run, and room for what is made of them; everything is freed. */
function ofSets(
  property: (
    x: tf.Tensor2D,
    y: tf.Tensor2D,
    own: <T extends tf.Tensor>(t: T) => T,
    seed: number,
  ) => Promise<void>,
  numRuns = 30,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(sets, async ({ seed, n, m, width }) => {
      const owned: tf.Tensor[] = []
      const own = <T extends tf.Tensor>(t: T) => {
        owned.push(t)
        return t
      }
      try {
        await property(own(table(`x.${seed}`, n, width)), own(table(`y.${seed}`, m, width)), own, seed)
      } finally {
        tf.dispose(owned)
      }
    }),
    { numRuns },
  )
}

describe('FID', () => {
  test('is 0 of a set against itself, never less, and the same either way round', () =>
    ofSets(async (x, y) => {
      const { value } = await fid(x, y)
      expect(value).toBeGreaterThan(-1e-6)
      relative((await fid(y, x)).value, value)
      close((await fid(x, x)).value, 0, 1e-6)
    }))

  test('of a set moved by c is the squared length of c', () =>
    ofSets(async (x, _, own, seed) => {
      const c = hashUniform(`shift.${seed}`, x.shape[1])
      const moved = own(tf.add<tf.Tensor2D>(x, own(tf.tensor1d(Float32Array.from(c)))))
      relative(
        (await fid(moved, x)).value,
        c.reduce((sum, value) => sum + value ** 2, 0),
      )
    }))

  test('does not see the order of samples or of features, and scales as a square', () =>
    ofSets(async (x, y, own) => {
      const { value } = await fid(x, y)
      relative((await fid(own(tf.reverse(x, 0)), y)).value, value)
      relative((await fid(own(tf.reverse(x, 1)), own(tf.reverse(y, 1)))).value, value)
      relative((await fid(own(tf.mul<tf.Tensor2D>(x, 3)), own(tf.mul<tf.Tensor2D>(y, 3)))).value, 9 * value)
    }))

  test('is the same streamed in any batches', () =>
    ofSets(async (x, y, own) => {
      const gaussian = gaussianAccumulator(x.shape[1])
      const size = 1 + (x.shape[0] % 3)
      for (let i = 0; i < x.shape[0]; i += size)
        await gaussian.add(own(tf.slice(x, [i, 0], [Math.min(size, x.shape[0] - i), -1])))
      relative((await fid(gaussian.summary(), y)).value, (await fid(x, y)).value)
    }))
})

describe('KID', () => {
  test.each(['unbiased', 'u-statistic', 'biased'] as const)(
    '%s: symmetric, order of samples unseen',
    (estimator) =>
      ofSets(async (x, y, own) => {
        // Sets of one size are their own only subset: no randomness.
        const n = Math.min(x.shape[0], y.shape[0])
        const [a, b] = [own(tf.slice(x, [0, 0], [n, -1])), own(tf.slice(y, [0, 0], [n, -1]))]
        const { value } = await kid(a, b, { estimator })
        relative((await kid(b, a, { estimator })).value, value)
        relative((await kid(own(tf.reverse(a, 0)), own(tf.reverse(b, 0)), { estimator })).value, value)
        if (estimator === 'biased') expect(value).toBeGreaterThan(-1e-9)
      }),
  )

  // A U-statistic over all subsets of a size has the mean of the whole: that is what unbiased means, without chance.
  const n = 5
  const subsets = Array.from({ length: 2 ** n }, (_, bits) =>
    Array.from({ length: n }, (_, i) => i).filter((i) => bits & (1 << i)),
  ).filter((rows) => rows.length === 3)
  async function overSubsets(seed: number, estimator: 'unbiased' | 'biased'): Promise<[number, number]> {
    const [x, y] = [table(`x.${seed}`, n, 3), table(`y.${seed}`, n, 3)]
    let sum = 0
    for (const rows of subsets) {
      for (const others of subsets) {
        const [a, b] = [tf.gather(x, rows), tf.gather(y, others)]
        sum += (await kid(a, b, { estimator })).value
        tf.dispose([a, b])
      }
    }
    const { value } = await kid(x, y, { estimator })
    tf.dispose([x, y])
    return [sum / subsets.length ** 2, value]
  }

  test('the unbiased estimate of all subsets has the mean of the whole; the biased one is larger', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const [mean, whole] = await overSubsets(seed, 'unbiased')
        close(mean, whole, 1e-6)
        const [biased, biasedWhole] = await overSubsets(seed, 'biased')
        expect(biased).toBeGreaterThan(biasedWhole + 1e-3)
      }),
      { numRuns: 3 },
    ))
})

// ---- embeddings

describe('similarities', () => {
  const embedder = {
    embedImages: features,
    embedTexts: (texts: readonly string[]) =>
      tf.tensor2d(
        texts.map((text) => [...hashUniform(text, 3)]),
        [texts.length, 3],
      ),
  }
  const pictures = (seed: number, name: string) => {
    const values = Float32Array.from(hashUniform(`${name}.${seed}`, 2 * 4 * 4 * 3), (u) => (u + 1) / 2)
    return tf.tensor4d(values, [2, 4, 4, 3])
  }

  test('CLIP scores are within their scale, and those of a batch are those of its pictures', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const x = pictures(seed, 'x')
        const one = single(x, 1)
        const texts = [`a ${seed}`, `b ${seed}`]
        for (const [dialect, low, high] of [
          ['torchmetrics-1.9', -100, 100],
          ['hessel2021', 0, 2.5],
        ] as const) {
          const { perImage, value } = await clipScore(embedder, x, texts, { dialect })
          for (const each of perImage!) {
            expect(each).toBeGreaterThanOrEqual(low)
            expect(each).toBeLessThanOrEqual(high)
          }
          expect(value).toBeGreaterThanOrEqual(0)
          const alone = await clipScore(embedder, one, texts.slice(1), { dialect })
          close(alone.perImage![0]!, perImage![1]!, 1e-4)
        }
        tf.dispose([x, one])
      }),
      { numRuns: 20 },
    ))

  test('a direction turned on one side turns the similarity, on both sides nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const [originals, edited] = [pictures(seed, 'x'), pictures(seed, 'y')]
        const [from, to] = [
          [`a ${seed}`, `b ${seed}`],
          [`c ${seed}`, `d ${seed}`],
        ]
        const score = async (a: tf.Tensor4D, b: tf.Tensor4D, s: string[], t: string[]) =>
          (await directionalSimilarity(embedder, { originals: a, edited: b, sourceTexts: s, targetTexts: t }))
            .value
        const value = await score(originals, edited, from, to)
        expect(Math.abs(value)).toBeLessThanOrEqual(1)
        close(await score(originals, edited, to, from), -value)
        close(await score(edited, originals, to, from), value)
        tf.dispose([originals, edited])
      }),
      { numRuns: 20 },
    ))
})
