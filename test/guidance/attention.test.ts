import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { type AttentionSite, defaultSelfResolution, ShapeError } from '../../src/core/index.js'
import {
  type AttentionRule,
  blendByToken,
  composeRules,
  followingControl,
  pairwiseControl,
  refineAttention,
  replaceAttention,
  replaceSelfAttention,
  reweightAttention,
  type SourceMaps,
} from '../../src/guidance/index.js'

const cross: AttentionSite = {
  kind: 'cross',
  place: 'up',
  name: 'x',
  layer: 0,
  height: 1,
  width: 2,
  timestep: 1,
}
const self: AttentionSite = { ...cross, kind: 'self' }

// One head, two queries, three tokens.
const source = () => tf.tensor3d([0.5, 0.3, 0.2, 0.1, 0.1, 0.8], [1, 2, 3])
const target = () => tf.tensor3d([0.2, 0.2, 0.6, 0.7, 0.2, 0.1], [1, 2, 3])

function apply(rule: AttentionRule, site = cross): number[] {
  let values: number[] = []
  tf.tidy(() => {
    values = [...rule(source(), target(), site).dataSync()]
  })
  return values.map((p) => Math.round(p * 1e6) / 1e6)
}

function rowSums(values: number[]): number[] {
  return [0, 3].map((from) => Math.round(values.slice(from, from + 3).reduce((a, b) => a + b) * 1e6) / 1e6)
}

describe('the rules', () => {
  it('replace: source times mapper, rows still sum to one', () => {
    const swapped = replaceAttention(new Float32Array([1, 0, 0, 0, 0, 1, 0, 1, 0]))
    expect(apply(swapped)).toEqual([0.5, 0.2, 0.3, 0.1, 0.8, 0.1])
    const spread = replaceAttention(new Float32Array([0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 1]))
    expect(rowSums(apply(spread))).toEqual([1, 1])
  })

  it('refine: common tokens from the source, new ones of the target; rows need not sum to one', () => {
    const got = apply(refineAttention({ mapper: [0, -1, 1], alphas: [1, 0, 1] }))
    expect(got).toEqual([0.5, 0.2, 0.3, 0.1, 0.2, 0.1])
    expect(rowSums(got)).toEqual([1, 0.4])
  })

  it('reweight: columns times weights, not normalised again', () => {
    const got = apply(reweightAttention(new Float32Array([1, 2, 0])))
    expect(got).toEqual([0.2, 0.4, 0, 0.7, 0.4, 0])
  })

  it('self-attention is replaced up to a side', () => {
    const rule = replaceSelfAttention(16)
    const at = (height: number, width: number) => apply(rule, { ...self, height, width })
    expect(at(16, 8)).toEqual([0.5, 0.3, 0.2, 0.1, 0.1, 0.8])
    expect(at(8, 17)).toEqual([0.2, 0.2, 0.6, 0.7, 0.2, 0.1])
    expect(apply(rule)).toEqual([0.2, 0.2, 0.6, 0.7, 0.2, 0.1])
  })

  it('half the latent side is the published bound, with a floor for small models', () => {
    const sides = [
      [64, 64],
      [96, 64],
      [32, 32],
      [16, 16],
      [9, 5],
    ] as const
    expect(sides.map(defaultSelfResolution)).toEqual([32, 48, 16, 16, 16])
  })

  it('leave other sites alone, by identity', () => {
    tf.tidy(() => {
      const [s, t] = [source(), target()]
      const rules = [
        replaceAttention(new Float32Array(9)),
        refineAttention({ mapper: [0, 1, 2], alphas: [1, 1, 1] }),
        reweightAttention(new Float32Array(3)),
        blendByToken(reweightAttention(new Float32Array(3)), [1, 1, 1]),
        composeRules(),
      ]
      for (const rule of rules) expect(rule(s, t, self)).toBe(t)
    })
  })

  it('refuse maps over another number of tokens', () => {
    for (const rule of [
      replaceAttention(new Float32Array(16)),
      refineAttention({ mapper: [0], alphas: [1] }),
      reweightAttention(new Float32Array(2)),
    ]) {
      expect(() => apply(rule)).toThrow(ShapeError)
    }
  })
})

describe('combining rules', () => {
  it('composes in order: reweight acts on what refine gave', () => {
    const refine = refineAttention({ mapper: [0, -1, 1], alphas: [1, 0, 1] })
    const weigh = reweightAttention(new Float32Array([2, 1, 1]))
    expect(apply(composeRules(refine, weigh))).toEqual([1, 0.2, 0.3, 0.2, 0.2, 0.1])
  })

  it('blends token by token', () => {
    const rule = blendByToken(refineAttention({ mapper: [0, 1, 2], alphas: [1, 1, 1] }), [1, 0, 0.5])
    expect(apply(rule)).toEqual([0.5, 0.2, 0.4, 0.1, 0.2, 0.45])
  })
})

describe('pairwiseControl', () => {
  const rows = (...values: number[]) => tf.tensor4d(values, [values.length, 1, 1, 1])

  it('edits the last rows only, from the source before them', () => {
    const add: AttentionRule = (s, t) => s.mul(10).add(t)
    const take: AttentionRule = (s) => s
    const got = tf.tidy(() =>
      pairwiseControl([add, take])(rows(1, 2, 3, 4, 5), cross)
        .dataSync()
        .slice(),
    )
    expect([...got]).toEqual([1, 2, 3, 34, 3])
  })

  it('returns the very tensor when no rule applies', () => {
    tf.tidy(() => {
      const probabilities = rows(1, 2, 3)
      expect(pairwiseControl([(_, t) => t])(probabilities, cross)).toBe(probabilities)
    })
  })

  it('lends the source to a batch without it', () => {
    const add: AttentionRule = (s, t) => s.mul(10).add(t)
    const kept: SourceMaps = { wants: ({ kind }) => kind === 'cross', maps: [] }
    const got = tf.tidy(() => {
      const first = pairwiseControl([add], kept)
      for (const site of [cross, self]) first(rows(3, 4), site)
      const following = followingControl([add, add], kept)
      return [cross, self].map((site) => [...following(rows(1, 5, 6), site).dataSync()])
    })
    expect(got).toEqual([
      [1, 35, 36],
      [1, 5, 6],
    ])
    tf.dispose(kept.maps.filter((map) => map !== undefined))
  })

  it('refuses a batch without the source', () => {
    expect(() => tf.tidy(() => pairwiseControl([(_, t) => t])(rows(1), cross))).toThrow(ShapeError)
  })
})
