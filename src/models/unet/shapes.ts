import type { UNetConfig } from '../config.js'
import { type ParameterShapes, resnetShapes, type ShapeList, shapeList } from '../shapes.js'

/**
 * Every tensor of a UNet2DConditionModel, named and shaped as diffusers saves it.
 *
 * @param config - Stable Diffusion 1.5's gives 686 tensors and 859,520,964 parameters
 */
export function unetShapes(config: UNetConfig): ParameterShapes {
  const { block_out_channels: widths, layers_per_block: layers } = config
  const list = shapeList()
  const first = widths[0]!
  const last = widths.at(-1)!
  const time = 4 * first
  const levels = widths.length

  list.conv('conv_in', config.in_channels, first)
  list.linear('time_embedding.linear_1', first, time)
  list.linear('time_embedding.linear_2', time, time)

  widths.forEach((out, level) => {
    const name = `down_blocks.${level}`
    for (let i = 0; i < layers[level]!; i++) {
      resnetShapes(list, `${name}.resnets.${i}`, i === 0 ? (widths[level - 1] ?? first) : out, out, time)
      if (attends(config.down_block_types[level]!))
        transformerShapes(list, `${name}.attentions.${i}`, out, config)
    }
    if (level < levels - 1) list.conv(`${name}.downsamplers.0.conv`, out, out)
  })

  resnetShapes(list, 'mid_block.resnets.0', last, last, time)
  transformerShapes(list, 'mid_block.attentions.0', last, config)
  resnetShapes(list, 'mid_block.resnets.1', last, last, time)

  widths.forEach((_, block) => {
    const level = levels - 1 - block
    const name = `up_blocks.${block}`
    const out = widths[level]!
    const depth = layers[level]! + 1
    for (let i = 0; i < depth; i++) {
      const hidden = i === 0 ? (widths[level + 1] ?? last) : out
      // The block's last skip was pushed one level up: by the downsampler, or by conv_in.
      const skip = i === depth - 1 ? (widths[level - 1] ?? first) : out
      resnetShapes(list, `${name}.resnets.${i}`, hidden + skip, out, time)
      if (attends(config.up_block_types[block]!))
        transformerShapes(list, `${name}.attentions.${i}`, out, config)
    }
    if (level > 0) list.conv(`${name}.upsamplers.0.conv`, out, out)
  })

  list.norm('conv_norm_out', first)
  list.conv('conv_out', first, config.out_channels)
  return list.shapes
}

/** Whether a block of this type has attention. */
export function attends(blockType: string): boolean {
  return blockType.startsWith('CrossAttn')
}

function transformerShapes(list: ShapeList, name: string, channels: number, config: UNetConfig): void {
  const project = config.use_linear_projection
    ? (part: string) => list.linear(`${name}.${part}`, channels, channels)
    : (part: string) => list.conv(`${name}.${part}`, channels, channels, 1)
  list.norm(`${name}.norm`, channels)
  project('proj_in')
  const block = `${name}.transformer_blocks.0`
  for (const [attention, source] of [
    ['attn1', channels],
    ['attn2', config.cross_attention_dim],
  ] as const) {
    list.linear(`${block}.${attention}.to_q`, channels, channels, false)
    list.linear(`${block}.${attention}.to_k`, source, channels, false)
    list.linear(`${block}.${attention}.to_v`, source, channels, false)
    list.linear(`${block}.${attention}.to_out.0`, channels, channels)
  }
  for (const norm of ['norm1', 'norm2', 'norm3']) list.norm(`${block}.${norm}`, channels)
  list.linear(`${block}.ff.net.0.proj`, channels, 8 * channels)
  list.linear(`${block}.ff.net.2`, 4 * channels, channels)
  project('proj_out')
}
