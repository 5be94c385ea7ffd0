import type { AutoencoderConfig } from '../config.js'
import { type ParameterShapes, resnetShapes, type ShapeList, shapeList } from '../shapes.js'

/**
 * Every tensor of an AutoencoderKL, named and shaped as diffusers saves it (with today's attention names).
 *
 * @param config - Stable Diffusion's gives 248 tensors and 83,653,863 parameters
 */
export function autoencoderShapes(config: AutoencoderConfig): ParameterShapes {
  const list = shapeList()
  const { block_out_channels: widths, layers_per_block: layers, latent_channels: latent } = config
  const first = widths[0]!
  const last = widths.at(-1)!

  list.conv('encoder.conv_in', config.in_channels, first)
  widths.forEach((out, level) => {
    const name = `encoder.down_blocks.${level}`
    for (let i = 0; i < layers; i++) {
      resnetShapes(list, `${name}.resnets.${i}`, i === 0 ? (widths[level - 1] ?? first) : out, out, 0)
    }
    if (level < widths.length - 1) list.conv(`${name}.downsamplers.0.conv`, out, out)
  })
  midShapes(list, 'encoder.mid_block', last)
  list.norm('encoder.conv_norm_out', last)
  list.conv('encoder.conv_out', last, 2 * latent)

  list.conv('decoder.conv_in', latent, last)
  midShapes(list, 'decoder.mid_block', last)
  widths.forEach((_, block) => {
    const level = widths.length - 1 - block
    const name = `decoder.up_blocks.${block}`
    const out = widths[level]!
    for (let i = 0; i < layers + 1; i++) {
      resnetShapes(list, `${name}.resnets.${i}`, i === 0 ? (widths[level + 1] ?? last) : out, out, 0)
    }
    if (level > 0) list.conv(`${name}.upsamplers.0.conv`, out, out)
  })
  list.norm('decoder.conv_norm_out', first)
  list.conv('decoder.conv_out', first, config.out_channels)

  list.conv('quant_conv', 2 * latent, 2 * latent, 1)
  list.conv('post_quant_conv', latent, latent, 1)
  return list.shapes
}

function midShapes(list: ShapeList, name: string, channels: number): void {
  resnetShapes(list, `${name}.resnets.0`, channels, channels, 0)
  const attention = `${name}.attentions.0`
  list.norm(`${attention}.group_norm`, channels)
  for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0'])
    list.linear(`${attention}.${part}`, channels, channels)
  resnetShapes(list, `${name}.resnets.1`, channels, channels, 0)
}
