import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CheckpointError, ShapeError, torchRandn } from '../../src/core/index.js'
import {
  type Hvae,
  hvae,
  hvaeConfig,
  hvaeCounterfactual,
  hvaeMechanism,
  hvaePresets,
  loadHvae,
  saveHvae,
  torchNoise,
} from '../../src/scm/index.js'
import { hashHvae } from './hvae-support.js'

const small = {
  input_res: 8,
  enc_arch: '8b1d2,4b1d4,1b1',
  dec_arch: '1b1,4b1,8b1',
  widths: [4, 8, 8],
  z_dim: 2,
  context_dim: 2,
  vr: 'light',
}
const mediated = { ...small, cond_prior: true }

function withModel(json: unknown, run: (model: Hvae) => void): void {
  tf.tidy(() => run(hashHvae(json)))
}
const picture = (seed = 1) => tf.tensor4d(torchRandn(seed).uniform(2 * 64), [2, 8, 8, 1])
const people = () => tf.tensor2d([1, -0.3, -1, 0.4], [2, 2])
const others = () => tf.tensor2d([-1, -0.3, 1, 0.9], [2, 2])
const noise = (seed: number) => torchNoise(torchRandn(seed))
const apart = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!

describe('a null intervention is the identity', () => {
  test.each([
    ['exogenous latents', small],
    ['latent mediators', mediated],
  ])('%s, as a mechanism of a graph', (_, json) =>
    withModel(json, (model) => {
      for (const temperature of [1, 0]) {
        const mechanism = hvaeMechanism(model, { temperature })
        const pa = { sex: tf.tensor2d([1, -1], [2, 1]), age: tf.tensor2d([0.2, -0.7], [2, 1]) }
        const x = picture()
        const same = mechanism.predict(mechanism.abduct(x, pa, torchRandn(3)), pa)
        expect(apart(same, x)).toBeLessThan(1e-5)
      }
    }),
  )

  test('and with a tenth of the residual it is not: nine tenths show up as an effect', () =>
    withModel(small, (model) => {
      const [x, pa] = [picture(), people()]
      const whole = hvaeCounterfactual(model, x, pa, pa, { draw: noise(0) })
      const tenth = hvaeCounterfactual(model, x, pa, pa, { draw: noise(0), residual: 0.1 })
      const none = hvaeCounterfactual(model, x, pa, pa, { draw: noise(0), residual: 0 })
      expect(apart(whole.image, x)).toBeLessThan(1e-5)
      const expected = tf.add(tf.mul(none.image, 0.9), tf.mul(x, 0.1))
      expect(apart(tenth.image, expected)).toBeLessThan(1e-5)
    }))
})

describe('effects', () => {
  test('with exogenous latents the parents reach the picture directly, or not at all', () =>
    withModel(small, (model) => {
      const ask = (effect: 'direct' | 'indirect' | 'total') => () =>
        hvaeCounterfactual(model, picture(), people(), others(), { draw: noise(0), effect })
      expect(apart(ask('direct')().image, picture())).toBeGreaterThan(0.01)
      expect(ask('indirect')).toThrow(ArgumentError)
      expect(ask('total')).toThrow(/effect total of a model with an exogenous prior/)
    }))

  test('with mediators all three differ, and hard abduction makes each exact', () =>
    withModel(mediated, (model) => {
      const made = (['direct', 'indirect', 'total'] as const).map((effect) => {
        const options = { effect, temperature: 0 }
        const [a, b] = [1, 2].map(
          (seed) =>
            hvaeCounterfactual(model, picture(), people(), others(), { ...options, draw: noise(seed) }).image,
        )
        expect(apart(a!, b!), 'no draw is made at temperature 0').toBe(0)
        return a!
      })
      expect(apart(made[0]!, made[1]!)).toBeGreaterThan(1e-3)
      expect(apart(made[1]!, made[2]!)).toBeGreaterThan(1e-3)
    }))
})

test('particles are averaged, and vary where abduction is soft', () =>
  withModel(small, (model) => {
    const ask = (particles: number, temperature: number) =>
      hvaeCounterfactual(model, picture(), people(), others(), { draw: noise(5), particles, temperature })
    const three = ask(3, 1)
    const draw = noise(5)
    const singles = [1, 2, 3].map(
      () => hvaeCounterfactual(model, picture(), people(), others(), { draw }).image,
    )
    const mean = tf.div(tf.addN(singles), 3)
    expect(apart(three.image, mean)).toBeLessThan(1e-6)
    const square = tf.div(tf.addN(singles.map((each) => tf.square(tf.sub(each, mean)))), 3)
    expect(apart(three.variance, square)).toBeLessThan(1e-6)
    expect(tf.max(three.variance).dataSync()[0]).toBeGreaterThan(1e-6)
    expect(tf.max(ask(3, 0).variance).dataSync()[0]).toBeLessThan(1e-12)
    expect(tf.max(ask(1, 1).variance).dataSync()[0]).toBe(0)
  }))

test('samples are pictures, the same for the same seed; the bound is finite, a number per picture', () =>
  withModel(small, (model) => {
    const mechanism = hvaeMechanism(model)
    const pa = { both: people() }
    const [a, b, c] = [7, 7, 8].map((seed) => mechanism.sample(torchRandn(seed), pa, 2))
    expect(a!.shape).toEqual([2, 8, 8, 1])
    expect(apart(a!, b!)).toBe(0)
    expect(apart(a!, c!)).toBeGreaterThan(0)
    expect(tf.all(mechanism.support!(a!)).dataSync()[0]).toBe(1)
    const bound = mechanism.logProb(a!, pa)
    expect(bound.shape).toEqual([2])
    expect([...bound.dataSync()].every(Number.isFinite)).toBe(true)
  }))

describe('checkpoints', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'contrafact-hvae-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('come back as they were saved, and say what differs from another config', async () => {
    const path = join(folder, 'hvae.safetensors')
    const model = hashHvae(small)
    try {
      await saveHvae(path, model)
      using loaded = await loadHvae(path, hvaeConfig(small))
      for (const [name, tensor] of model.named)
        expect([...loaded.named.get(name)!.dataSync()], name).toEqual([...tensor.dataSync()])
    } finally {
      tf.dispose([...model.named.values()])
    }
    const wrong = loadHvae(path, hvaeConfig({ ...small, context_dim: 3 }))
    await expect(wrong).rejects.toThrow(CheckpointError)
    await expect(wrong).rejects.toThrow(
      /decoder\.blocks\.0\.posterior\.conv\.1\.weight \[2,18,1,1\] where the config has \[2,19,1,1\]/,
    )
    const full = loadHvae(path, hvaeConfig({ ...small, vr: null }))
    await expect(full).rejects.toThrow(/missing: encoder\.blocks\.0\.conv\.5\.weight/)
    const corrected = loadHvae(path, hvaeConfig({ ...small, q_correction: true }))
    await expect(corrected).rejects.toThrow(/6 not in the config: decoder\.blocks\.0\.z_feat_proj\.bias/)
  })
})

describe('what does not fit is refused', () => {
  test('a picture of another size', () =>
    withModel(small, (model) => {
      const ask = () =>
        hvaeCounterfactual(model, tf.zeros([2, 16, 16, 1]), people(), others(), { draw: noise(0) })
      expect(ask).toThrow(ShapeError)
      expect(ask).toThrow(/input_res 8/)
      const mechanism = hvaeMechanism(model)
      expect(() => mechanism.abduct(tf.zeros([2, 8, 8, 3]), { both: people() }, torchRandn(0))).toThrow(
        ShapeError,
      )
      expect(() =>
        hvaeCounterfactual(model, picture(), people(), tf.zeros([2, 3]), { draw: noise(0) }),
      ).toThrow(ShapeError)
    }))

  test('weights of another config', () => {
    const { named } = hashHvae(small)
    expect(() => hvae(hvaeConfig({ ...small, widths: [4, 8, 16] }), named)).toThrow(CheckpointError)
    tf.dispose([...named.values()])
  })

  test.each([
    [{ enc_arch: '8x1' }, /enc_arch as stages/],
    [{ enc_arch: '8b0,4b1' }, /stem of stride 2/],
    [{ enc_arch: '16b1d2,8b1d2,4b1' }, /not at input_res/],
    [{ dec_arch: '4b1,8b1' }, /not at 1²/],
    [{ dec_arch: '1b1,8b1,4b1' }, /finer than the next/],
    [{ dec_arch: '1b1,2b1,8b1' }, /latents at 2² where the encoder stops at 8,4,1/],
    [{ widths: [4, 8] }, /no width for what follows/],
    [{ widths: [16, 8, 8] }, /decoder that widens/],
    [{ z_dim: 0 }, /z_dim/],
    [{ x_like: 'diag_gauss' }, /x_like/],
  ])('a config that cannot be built: %j', (change, message) => {
    expect(() => hvaeConfig({ ...small, ...change })).toThrow(ArgumentError)
    expect(() => hvaeConfig({ ...small, ...change })).toThrow(message)
  })

  test("causal-gen's own configs can", () => {
    for (const preset of Object.values(hvaePresets)) expect(() => hvaeConfig(preset)).not.toThrow()
    expect(hvaeConfig({ ...hvaePresets.mimic192, hps: 'ukbb192' }).vr).toBe('light')
  })
})
