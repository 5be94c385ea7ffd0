import * as tf from '@tensorflow/tfjs'
import { torchRandn } from '../../src/core/index.js'
import type { History, Scheduler } from '../../src/schedulers/index.js'

/** A stand-in for a network: scaled latents and a timestep to a prediction. */
export type FakeModel = (x: tf.Tensor4D, t: number) => tf.Tensor4D

/** The model of the reference runs: 0.9 sin(x) + 0.0001 t. */
export const sine: FakeModel = (x, t) =>
  tf.tidy(() =>
    x
      .sin()
      .mul(0.9)
      .add(0.0001 * t),
  )

export interface SampleOptions {
  readonly model?: FakeModel
  /** Seeds torch's generator; one draw per step, of the channels-first shape. */
  readonly seed?: number | null
  /** Index to start from. */
  readonly start?: number
  /** Called before each step. */
  readonly before?: (x: tf.Tensor4D, index: number) => tf.Tensor4D
}

/** Walks the schedule from `x` (borrowed) and returns the final latents. */
export function sample(scheduler: Scheduler, from: tf.Tensor4D, options: SampleOptions = {}): tf.Tensor4D {
  const { model = sine, seed, start = 0, before } = options
  const random = seed === undefined || seed === null ? undefined : torchRandn(seed)
  let x = from.clone()
  let history: History = []
  for (let index = start; index < scheduler.timesteps.length; index++) {
    const next = tf.tidy(() => {
      const state = before ? before(x, index) : x
      const output = model(scheduler.scaleInput(state, index), scheduler.timesteps[index]!)
      const noise = random && { noise: channelsLast(random.normal(x.size), x.shape) }
      const { x: after, history: remembered } = scheduler.step({ x: state, output, index, history, ...noise })
      return { after, remembered: [...remembered] }
    })
    tf.dispose([x, ...history])
    x = next.after
    history = next.remembered
  }
  tf.dispose([...history])
  return x
}

/** Channels-first values to a channels-last tensor of the given channels-last shape. */
export function channelsLast(
  values: ArrayLike<number>,
  [b, h, w, c]: [number, number, number, number],
): tf.Tensor4D {
  return tf.tidy(() => tf.tensor4d(Float32Array.from(values), [b, c, h, w]).transpose([0, 2, 3, 1]))
}

/** A channels-last tensor's values in channels-first order; frees it. */
export function channelsFirst(x: tf.Tensor4D): Float32Array {
  const values = tf.tidy(() => x.transpose([0, 3, 1, 2]).dataSync() as Float32Array)
  x.dispose()
  return values
}

/** The latents that the reference runs start from: linspace(-2, 2, 16) as [1, 4, 2, 2], times the initial scale. */
export function ramp(scale = 1): tf.Tensor4D {
  return channelsLast(
    Array.from({ length: 16 }, (_, i) => scale * (-2 + (4 * i) / 15)),
    [1, 2, 2, 4],
  )
}

/** {@link sample} of the reference start, as channels-first values. */
export function sampleRamp(scheduler: Scheduler, options: SampleOptions = {}): Float32Array {
  const start = ramp(scheduler.initialNoiseScale)
  const values = channelsFirst(sample(scheduler, start, options))
  start.dispose()
  return values
}
