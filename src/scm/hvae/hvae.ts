import * as tf from '@tensorflow/tfjs'
import { CheckpointError, expectShape } from '../../core/index.js'
import { type NamedParameters, parameterTree } from '../../nn/index.js'
import { parseDecoder } from './architecture.js'
import type { HvaeParameters } from './parameters.js'
import type { HvaeConfig } from './settings.js'
import { hvaeShapes } from './shapes.js'

/** A config and weights that fit it: what every function of the image mechanism takes. */
export interface Hvae {
  /** The architecture. */
  readonly config: HvaeConfig
  /** The module tree; shares its tensors with `named`. */
  readonly parameters: HvaeParameters
  /** The weights by causal-gen's names. */
  readonly named: NamedParameters
}

/**
 * Binds weights to a config.
 *
 * @param named - by causal-gen's names, in this library's layout ({@link loadHvae}); borrowed
 * @throws CheckpointError listing the weights that are missing or of other shapes
 */
export function hvae(config: HvaeConfig, named: NamedParameters): Hvae {
  const misfits = [...hvaeShapes(config)].flatMap(([name, shape]) => {
    const found = named.get(name)
    if (!found) return [`${name} [${shape}] missing`]
    return layout(shape).join() === found.shape.join() ? [] : [`${name} is [${found.shape}]`]
  })
  if (misfits.length === 0) return { config, named, parameters: parameterTree<HvaeParameters>(named) }
  throw new CheckpointError({
    rule: 'hvae needs the weights that its config describes',
    got: `${misfits.length} that do not fit: ${misfits.slice(0, 5).join('; ')}`,
    mend: 'Take config and weights from the same checkpoint.',
  })
}

// As fromTorch turns them: [out, in, h, w] to [h, w, in, out].
const layout = (shape: readonly number[]) =>
  shape.length === 4 ? [shape[2]!, shape[3]!, shape[1]!, shape[0]!] : shape

/** Shapes of a batch's latents, from the coarsest on: `[batch, r, r, z_dim]`. */
export function hvaeLatentShapes(config: HvaeConfig, batch: number): [number, number, number, number][] {
  return parseDecoder(config)
    .filter(({ stochastic }) => stochastic)
    .map(({ resolution }) => [batch, resolution, resolution, config.z_dim])
}

/**
 * A picture as the network reads it, `2 x − 1`, after its size is checked.
 *
 * @param image - `[batch, size, size, channels]` in [0, 1], borrowed
 * @param where - the function that was called
 * @returns owned by the caller
 * @throws ShapeError with the size that the config needs
 */
export function toSigned(
  { input_res, input_channels }: HvaeConfig,
  image: tf.Tensor,
  where: string,
): tf.Tensor4D {
  const shape = [null, input_res, input_res, input_channels]
  expectShape(image, shape, where, `image (input_res ${input_res}, input_channels ${input_channels})`)
  return tf.tidy(() => tf.sub(tf.mul(image, 2), 1))
}
