import * as tf from '@tensorflow/tfjs'
import type { NamedParameters } from '../nn/index.js'
import { type HvaeConfig, hvaeShapes, parseDecoder, parseEncoder } from '../scm/index.js'
import { initialParameters } from './initialize.js'

/**
 * Fresh weights of a hierarchical VAE: PyTorch's defaults, then as causal-gen scales them. The last convolution of
 * every residual block and every latent's way into the stream by √(1/blocks), so that the stream's variance does not
 * grow with depth; the last convolution of every prior by 0, so that it starts as N(0, 1); the upsampling biases 0.
 *
 * @param seed - the same seed gives the same weights
 * @returns by causal-gen's names, in this library's layout; owned by the caller
 */
export function initialHvae(config: HvaeConfig, seed: number): NamedParameters {
  const drawn = initialParameters(hvaeShapes(config), seed)
  const last = config.vr === 'light' ? 3 : 7
  const down = Math.sqrt(1 / parseEncoder(config).length)
  const up = Math.sqrt(1 / parseDecoder(config).length)
  const factors: readonly (readonly [RegExp, number])[] = [
    [new RegExp(`^encoder\\.blocks\\.\\d+\\.conv\\.${last}\\.weight$`), down],
    [new RegExp(`^decoder\\.blocks\\.\\d+\\.conv\\.conv\\.${last}\\.weight$`), up],
    [/^decoder\.blocks\.\d+\.z_proj\.weight$/, up],
    [new RegExp(`^decoder\\.blocks\\.\\d+\\.prior\\.conv\\.${last}\\.weight$`), 0],
    [/^decoder\.bias\.\d+$/, 0],
    ...(config.std_init > 0 ? [[/^likelihood\.x_logscale\.weight$/, 0] as const] : []),
  ]
  const scaled = new Map<string, tf.Tensor>()
  for (const [name, tensor] of drawn) {
    const factor = factors.find(([pattern]) => pattern.test(name))?.[1]
    const filled =
      config.std_init > 0 && name === 'likelihood.x_logscale.bias'
        ? tf.fill(tensor.shape, Math.log(config.std_init))
        : undefined
    scaled.set(name, filled ?? (factor === undefined ? tensor : tf.mul(tensor, factor)))
    if (filled || factor !== undefined) tensor.dispose()
  }
  return scaled
}
