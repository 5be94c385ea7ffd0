import * as tf from '@tensorflow/tfjs'
import type { NamedParameters } from '../nn/index.js'
import { biasStages, type HvaeConfig, hvaeShapes, parseDecoder, parseEncoder } from '../scm/index.js'
import { initialParameters } from './initialize.js'

/** How a hierarchical VAE starts, beside its seed. */
export interface HvaeInitialOptions {
  /**
   * What the upsampling biases start as: `'zero'`, causal-gen's and the default, or `'cosines'`, the lowest
   * two-dimensional cosines, one a channel. The parents enter everywhere alike; where there is a sense of place from
   * the first step on, they soon act in the right ones.
   */
  readonly places?: 'zero' | 'cosines'
}

/**
 * Fresh weights of a hierarchical VAE: PyTorch's defaults, then as causal-gen scales them. The last convolution of
 * every residual block and every latent's way into the stream by √(1/blocks), so that the stream's variance does not
 * grow with depth; the last convolution of every prior by 0, so that it starts as N(0, 1); the upsampling biases 0, or as the options say.
 *
 * @param seed - the same seed gives the same weights
 * @returns by causal-gen's names, in this library's layout; owned by the caller
 */
export function initialHvae(
  config: HvaeConfig,
  seed: number,
  { places = 'zero' }: HvaeInitialOptions = {},
): NamedParameters {
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
  if (places === 'cosines') {
    biasStages(config).forEach(([resolution, width], i) => {
      const name = `decoder.bias.${i}`
      const zeros = scaled.get(name)!
      scaled.set(name, tf.tensor(cosines(resolution, width), zeros.shape))
      zeros.dispose()
    })
  }
  return scaled
}

/** The first products `cos πkx · cos πly` by k + l, as `[resolution, resolution, width]`; the constant is left out. */
function cosines(resolution: number, width: number): Float32Array {
  const waves: (readonly [k: number, l: number])[] = []
  for (let sum = 1; waves.length < width; sum++) {
    for (let k = sum; k >= 0 && waves.length < width; k--) waves.push([k, sum - k])
  }
  const values = new Float32Array(resolution * resolution * width)
  const wave = (frequency: number, place: number) =>
    Math.cos((Math.PI * frequency * (place + 0.5)) / resolution)
  for (let y = 0; y < resolution; y++)
    for (let x = 0; x < resolution; x++)
      waves.forEach(([k, l], c) => {
        values[(y * resolution + x) * width + c] = wave(k, x) * wave(l, y)
      })
  return values
}
