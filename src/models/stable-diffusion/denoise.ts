import * as tf from '@tensorflow/tfjs'
import { contextRows, type Denoiser, hasMemory, isTaped } from '../../core/index.js'
import type { UNetConfig } from '../config.js'
import { unetActivations } from '../memory/activations.js'
import { promptMemory } from '../unet/prompt-memory.js'
import { type UNetParameters, unet } from '../unet/unet.js'

/**
 * The network as a {@link Denoiser} that does with the memory there is: a batch that does not fit is taken row by row (the
 * halves of guidance one after the other), and a gradient that does not fit computes every block again instead of keeping
 * what it made. The numbers are the same; an attention control, which sees all rows at once, rules both out.
 *
 * @param parameters - borrowed
 * @param config - the folder's `unet/config.json`
 */
export function frugalDenoiser(parameters: UNetParameters, config: UNetConfig): Denoiser {
  const prompts = promptMemory()
  const denoise: Denoiser = (x, timestep, context, attention) => {
    const memory = isTaped() ? undefined : prompts
    if (attention) return unet(parameters, config, x, { timestep, context, attention, memory })
    const [batch, height, width] = x.shape
    const { forward, backward } = unetActivations(config, { batch, height, width })
    if (isTaped()) return unet(parameters, config, x, { timestep, context, recompute: !hasMemory(backward) })
    if (batch === 1 || hasMemory(forward)) return unet(parameters, config, x, { timestep, context, memory })
    return tf.tidy(() => {
      const rows = Array.from({ length: batch }, (_, row) =>
        unet(parameters, config, tf.slice(x, row, 1), {
          timestep: typeof timestep === 'number' ? timestep : timestep[row]!,
          context: contextRows(context, row, 1),
          memory,
        }),
      )
      return tf.concat(rows)
    })
  }
  return Object.assign(denoise, { prepare: prompts.prepare })
}
