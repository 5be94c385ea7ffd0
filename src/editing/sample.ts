import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  breathe,
  expectNumber,
  type NoiseSource,
  type RunOptions,
  Scope,
  throwIfAborted,
} from '../core/index.js'
import type { History, Scheduler } from '../schedulers/index.js'

/**
 * A denoiser with its prompt and guidance settled: all that a sampling loop knows of a network.
 *
 * @param x - latents, scaled as the network expects; borrowed
 * @param timestep - of the step
 * @returns the prediction, of the same shape, owned by the caller
 */
export type Predict = (x: Tensor4D, timestep: number) => Tensor4D

/** Options of {@link sample}. */
export interface SampleOptions extends RunOptions {
  /** Any scheduler. */
  readonly scheduler: Scheduler
  /** Latents before the first step taken; borrowed. */
  readonly x: Tensor4D
  /** The first step to take; 0. */
  readonly from?: number
  /** Drawn from once per step by stochastic schedulers. */
  readonly noise?: NoiseSource
}

/**
 * The sampling loop: for each step, predict and take it.
 *
 * ```ts
 * const latents = await sample((x, t) => denoise(x, t, context), { scheduler: euler({ steps: 20 }), x: noise })
 * ```
 *
 * @param predict - the network with its prompt, tidy
 * @param options - scheduler and start
 * @returns the clean latents, owned by the caller
 * @throws ArgumentError when `from` is no step, or a stochastic scheduler gets no noise
 * @throws AbortError when `signal` is aborted
 */
export async function sample(predict: Predict, options: SampleOptions): Promise<Tensor4D> {
  const { scheduler, from = 0, noise } = options
  const { timesteps, stochastic } = scheduler
  expectNumber(from, { min: 0, max: timesteps.length - 1, integer: true }, 'sample', 'from')
  throwIfAborted(options.signal, 'sample')
  const total = timesteps.length - from
  const scope = new Scope()
  try {
    let x = scope.own(options.x.clone())
    let history: History = []
    for (let index = from; index < timesteps.length; index++) {
      const stepped = tf.tidy(() => {
        const output = predict(scheduler.scaleInput(x, index), timesteps[index]!)
        const fresh = stochastic && noise ? { noise: noise(x.shape) } : {}
        const { x: next, history: later } = scheduler.step({ x, output, index, history, ...fresh })
        return { x: next, history: [...later] }
      })
      for (const tensor of history) scope.free(tensor)
      history = stepped.history.map((tensor) => scope.own(tensor))
      x = scope.replace(x, stepped.x)
      options.onProgress?.({ stage: 'sample', done: index - from + 1, total })
      await breathe(options, 'sample')
    }
    return scope.release(x)
  } finally {
    scope.dispose()
  }
}
