import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { parameterTree } from '../../src/nn/index.js'
import {
  abductLatents,
  abductResidual,
  counterfactualMediators,
  type HvaeParameters,
  hvaeConfig,
  hvaeDecode,
  hvaeElbo,
  hvaeEncode,
  hvaeNll,
  hvaePixels,
  hvaeShapes,
  pixelsOfLatents,
  replayResidual,
} from '../../src/scm/index.js'
import { differentiate, hvaeLoss } from '../../src/training/index.js'
import { type Digest, distance, fixture, hashHvae, hashNoise, inputs } from './hvae-support.js'

/**
 * Seven deviations from the mean, a bin's mass is a single bit of float32, in PyTorch as here. One pixel of a picture
 * may round the other way where a backend adds in another order: its likelihood doubles. Relative, as `distance` is.
 */
const oneBit = ({ size }: tf.Tensor4D, { rms }: Digest) => Math.LN2 / (size / 2) / rms

describe.each(Object.entries(fixture.cases))("%s, against causal-gen's modules", (_, golden) => {
  const withModel = (run: (model: ReturnType<typeof hashHvae>, given: ReturnType<typeof inputs>) => void) =>
    tf.tidy(() => {
      const model = hashHvae(golden.config)
      run(model, inputs(model.config))
    })

  test('encoder activations', () =>
    withModel(({ parameters, config }, { x }) => {
      const activations = hvaeEncode(parameters, config, x)
      expect([...activations.keys()].map(String).sort()).toEqual(Object.keys(golden.activations).sort())
      for (const [size, at] of activations)
        expect(distance(at, golden.activations[size]!), `at ${size}`).toBeLessThan(1e-4)
    }))

  test('posterior and prior parameters, likelihood and divergence', () =>
    withModel(({ parameters, config }, { x, parents }) => {
      const activations = hvaeEncode(parameters, config, x)
      const { h, levels } = hvaeDecode(parameters, config, parents, { activations, draw: hashNoise() })
      expect(levels).toHaveLength(golden.levels.length)
      levels.forEach(({ prior, posterior }, i) => {
        const at = golden.levels[i]!
        expect(distance(posterior!.loc, at.q_loc), `q mean ${i}`).toBeLessThan(1e-4)
        expect(distance(posterior!.logscale, at.q_logscale), `q log-scale ${i}`).toBeLessThan(1e-4)
        expect(distance(prior.loc, at.p_loc), `p mean ${i}`).toBeLessThan(1e-4)
        expect(distance(prior.logscale, at.p_logscale), `p log-scale ${i}`).toBeLessThan(1e-4)
      })
      expect(distance(hvaeNll(parameters, h, x), golden.nll)).toBeLessThan(
        Math.max(1e-4, oneBit(x, golden.nll)),
      )
      const { nll, kl } = hvaeElbo(parameters, config, x, parents, hashNoise())
      expect(Math.abs(tf.mean(nll).dataSync()[0]! / golden.elbo.nll - 1)).toBeLessThan(1e-4)
      expect(Math.abs(tf.mean(kl).dataSync()[0]! / golden.elbo.kl - 1)).toBeLessThan(1e-4)
    }))

  test('gradients of the training loss', () =>
    withModel(({ named, config }, { x, parents }) => {
      const draw = hashNoise()
      const { levels } = tf.tidy(() => {
        const shapes = hvaeDecode(parameterTree<HvaeParameters>(named), config, parents, {
          draw: hashNoise(),
        })
        return { levels: shapes.levels.map(({ z }) => z) }
      })
      const noise = levels.map(({ shape }) => draw(shape))
      const { loss, gradients } = differentiate(named, (weights) =>
        hvaeLoss(config, weights, { x, parents, noise, beta: tf.scalar(0.7) }),
      )
      expect(Math.abs(loss.dataSync()[0]! / golden.elbo.elbo - 1)).toBeLessThan(1e-4)
      const norm = Math.sqrt(
        [...gradients.values()].reduce((sum, g) => sum + tf.sum(tf.square(g)).dataSync()[0]!, 0),
      )
      expect(Math.abs(norm / golden.norm - 1)).toBeLessThan(1e-2)
      for (const [name, { rms }] of Object.entries(golden.gradients)) {
        const own = Math.sqrt(tf.mean(tf.square(gradients.get(name)!)).dataSync()[0]!)
        expect(Math.abs(own - rms), name).toBeLessThan(1e-2 * Math.max(rms, golden.norm / 100))
      }
    }))

  test('samples at temperature 0.7', () =>
    withModel(({ parameters, config }, { parents }) => {
      const { h } = hvaeDecode(parameters, config, parents, { draw: hashNoise(), temperature: 0.7 })
      const { loc, scale } = hvaePixels(parameters, h)
      expect(distance(loc, golden.sample.loc)).toBeLessThan(1e-4)
      expect(distance(scale, golden.sample.scale)).toBeLessThan(1e-4)
    }))

  test.each([
    ['counterfactual', 1, 1],
    ['tempered', 0.1, 0.1],
  ] as const)('counterfactuals: %s', (label, temperature, residual) =>
    withModel((model, { x, parents, others }) => {
      const want = golden[label]
      const draw = hashNoise()
      const levels = abductLatents(model, x, parents, { draw, temperature })
      const z = levels.map((level) => level.z)
      const rec = pixelsOfLatents(model, z, parents)
      expect(distance(rec.loc, want.rec)).toBeLessThan(1e-4)
      // u divides by the deviation, which may be e^-9: the replayed residual bears that factor on both sides.
      const u = abductResidual(x, rec)
      expect(distance(replayResidual(pixelsOfLatents(model, z, others), u, residual), want.x)).toBeLessThan(
        1e-4,
      )
      if (!want.star) return
      const star = counterfactualMediators(model, levels, others, {
        draw,
        temperature,
        alpha: 0.65,
        dialect: 'causal-gen-2023',
      })
      star.forEach((each, i) => {
        expect(distance(each, want.star![i]!), `z* ${i}`).toBeLessThan(1e-4)
      })
      const effects = { indirect: parents, total: others } as const
      for (const [effect, pa] of Object.entries(effects) as ['indirect' | 'total', tf.Tensor2D][])
        expect(
          distance(replayResidual(pixelsOfLatents(model, star, pa), u, residual), want[effect]!),
          effect,
        ).toBeLessThan(1e-4)
    }),
  )
})

test.each(Object.entries(fixture.trees))('the module tree of %s: every name, every shape', (_, tree) => {
  const want = Object.entries(tree.shapes)
    .flatMap(([shape, names]) => names.map((name) => `${name} [${shape}]`))
    .sort()
  const shapes = [...hvaeShapes(hvaeConfig(tree.config))]
  expect(shapes.map(([name, shape]) => `${name} [${shape}]`).sort()).toEqual(want)
  expect(shapes.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(tree.parameters)
})
