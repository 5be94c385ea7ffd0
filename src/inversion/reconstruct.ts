import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  breathe,
  cropEdges,
  type LatentDiffusion,
  prepareContext,
  type RunOptions,
  Scope,
  throwIfAborted,
} from '../core/index.js'
import { guidedBatch } from '../guidance/index.js'
import { expectInversion, type Inversion } from './inversion.js'

/**
 * Replays an inversion with its own prompt: the image as the model reproduces it, which edits are to be
 * compared with.
 *
 * Steps with a pivot cost nothing, so a pivot-pinned inversion comes back as the autoencoder's round trip.
 *
 * @param model - the model that inverted; borrowed
 * @param inversion - made by any inverter; borrowed
 * @param options - progress and abort
 * @returns `[1, height, width, 3]` in [0, 1], of the original size, owned by the caller
 * @throws AbortError when `signal` is aborted
 */
export async function reconstruct(
  model: LatentDiffusion,
  inversion: Inversion,
  options: RunOptions = {},
): Promise<Tensor4D> {
  const latents = await replay(model, inversion, options)
  try {
    return tf.tidy(() => cropEdges(model.decodeLatents(latents), inversion.size))
  } finally {
    latents.dispose()
  }
}

/**
 * The latents that {@link reconstruct} decodes.
 *
 * @param model - only its network and text encoder are used; borrowed
 * @param inversion - made by any inverter; borrowed
 * @param options - progress and abort
 * @returns `[1, height, width, channels]`, owned by the caller
 * @throws AbortError when `signal` is aborted
 */
export async function replay(
  model: Pick<LatentDiffusion, 'denoise' | 'encodePrompts'>,
  inversion: Inversion,
  options: RunOptions = {},
): Promise<Tensor4D> {
  const { scheduler, guidance, prompt } = inversion
  const stage = 'replay'
  expectInversion(inversion, 'replay')
  throwIfAborted(options.signal, stage)
  const total = scheduler.timesteps.length
  const scope = new Scope()
  try {
    const conditional = scope.own(model.encodePrompts([prompt]))
    const empty = scope.own(model.encodePrompts(['']))
    for (const context of [conditional, empty]) scope.own(prepareContext(model.denoise, context))
    let x = scope.own(inversion.start.clone())
    for (const [index, timestep] of scheduler.timesteps.entries()) {
      const { pivot, unconditional = empty } = inversion.steps[index]!
      const next = tf.tidy(() => {
        if (pivot) return pivot.clone()
        const rows = { x, timestep, conditional, unconditional, scales: [guidance] }
        return scheduler.step({ x, output: guidedBatch(model.denoise, rows).output, index }).x
      })
      x = scope.replace(x, next)
      options.onProgress?.({ stage, done: index + 1, total })
      await breathe(options, stage)
    }
    return scope.release(x)
  } finally {
    scope.dispose()
  }
}
