import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import {
  type DrawNoise,
  type Hvae,
  type HvaeConfig,
  hvae,
  hvaeConfig,
  hvaeShapes,
} from '../../src/scm/index.js'
import { hashInput, hashUniform, hashWeights } from '../support/name-hash.js'

/** Some values of a channels-last array. */
export interface Digest {
  readonly shape: number[]
  readonly stride: number
  readonly values: number[]
  readonly rms: number
}

/** What causal-gen's modules gave for one config. */
export interface HvaeCase {
  readonly config: Record<string, unknown>
  readonly activations: Record<string, Digest>
  readonly levels: Record<'q_loc' | 'q_logscale' | 'p_loc' | 'p_logscale', Digest>[]
  readonly elbo: { elbo: number; nll: number; kl: number }
  readonly gradients: Record<string, Digest>
  readonly norm: number
  readonly nll: Digest
  readonly sample: { loc: Digest; scale: Digest }
  readonly counterfactual: HvaeEffects
  readonly tempered: HvaeEffects
}

/** Counterfactuals of one temperature. */
export interface HvaeEffects {
  readonly rec: Digest
  readonly x: Digest
  readonly star?: Digest[]
  readonly indirect?: Digest
  readonly total?: Digest
}

/** The fixture of hvae.py. */
export const fixture: {
  cases: Record<string, HvaeCase>
  trees: Record<
    string,
    { config: Record<string, unknown>; shapes: Record<string, string[]>; parameters: number }
  >
} = JSON.parse(readFileSync(new URL('../fixtures/hvae.json', import.meta.url), 'utf8'))

/** A model with name-hash weights; the caller disposes of `named`. */
export function hashHvae(json: unknown): Hvae {
  const config = hvaeConfig(json)
  return hvae(config, hashWeights(hvaeShapes(config)))
}

/** The fixture's picture in [-1, 1] and its two sets of parents. */
export function inputs({ input_res: size, input_channels: channels, context_dim: width }: HvaeConfig) {
  const values = Float32Array.from(hashUniform('image', 2 * channels * size * size))
  for (let c = 0; c < channels; c++)
    [-1, 1, -1, 1].forEach((edge, i) => {
      values[c * size * size + i] = edge
    })
  const x = tf.tidy(() =>
    tf.transpose(tf.tensor4d(values, [2, channels, size, size]), [0, 2, 3, 1]),
  ) as tf.Tensor4D
  const spread = (name: string) => hashInput<tf.Rank.R2>(name, [2, width], 1)
  return { x, parents: spread('parents'), others: spread('counterfactual') }
}

/** Noise as hvae.py draws it, counted from zero. */
export function hashNoise(): DrawNoise {
  let draws = 0
  return ([batch, height, width, channels]) =>
    hashInput<tf.Rank.R4>(`noise.${draws++}`, [batch!, channels!, height!, width!])
}

/** Largest difference from a digest, relative to the values' size where that is above 1. */
export function distance(x: tf.Tensor, { shape, stride, values, rms }: Digest): number {
  if (x.shape.join() !== shape.join()) return Number.POSITIVE_INFINITY
  const data = x.dataSync<'float32'>()
  const size = Math.max(1, rms)
  const square = data.reduce((sum, v) => sum + v * v, 0)
  const off = Math.abs(Math.sqrt(square / data.length) - rms)
  return values.reduce((worst, v, i) => Math.max(worst, Math.abs(data[i * stride]! - v)), off) / size
}
