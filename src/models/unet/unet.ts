import * as tf from '@tensorflow/tfjs'
import { type AttentionControl, AttentionError, expectShape, recomputed } from '../../core/index.js'
import {
  type ConvParameters,
  conv2d,
  downsample,
  groupNormSilu,
  type LinearParameters,
  linear,
  type NormParameters,
  type ResampleParameters,
  type ResnetBlockParameters,
  resnetBlock,
  silu,
  timestepEmbedding,
  upsample,
} from '../../nn/index.js'
import type { UNetConfig } from '../config.js'
import type { PromptMemory } from './prompt-memory.js'
import { attentionSites, type Place } from './sites.js'
import { type TransformerParameters, transformer } from './transformer.js'

/** One level of an arm of the U. */
export interface UNetBlockParameters {
  /** Residual blocks, in order. */
  readonly resnets: readonly ResnetBlockParameters[]
  /** One spatial transformer after each residual block, where the level attends. */
  readonly attentions?: readonly TransformerParameters[]
  /** At the end of every down level but the last. */
  readonly downsamplers?: readonly [ResampleParameters]
  /** At the end of every up level but the last. */
  readonly upsamplers?: readonly [ResampleParameters]
}

/** A UNet2DConditionModel's tree, in this library's layout. */
export interface UNetParameters {
  /** Latents to the first width. */
  readonly conv_in: ConvParameters
  /** Sinusoid to time embedding. */
  readonly time_embedding: {
    /** Sinusoid to embedding. */
    readonly linear_1: LinearParameters
    /** Embedding to embedding. */
    readonly linear_2: LinearParameters
  }
  /** From fine to coarse. */
  readonly down_blocks: readonly UNetBlockParameters[]
  /** Two residual blocks around one transformer. */
  readonly mid_block: UNetBlockParameters
  /** From coarse to fine. */
  readonly up_blocks: readonly UNetBlockParameters[]
  /** Before the last convolution. */
  readonly conv_norm_out: NormParameters
  /** To the prediction. */
  readonly conv_out: ConvParameters
}

/** What one call of the network needs beside the latents. */
export interface UNetInput {
  /** One timestep for all rows, or one per row; fractions allowed. */
  readonly timestep: number | readonly number[]
  /** Prompt embeddings `[batch, tokens, cross_attention_dim]`, borrowed. */
  readonly context: tf.Tensor3D
  /** Sees and may replace every attention map. */
  readonly attention?: AttentionControl | undefined
  /**
   * Computes every block again for its gradient instead of keeping what it made: for the gradient by `x` and `context` in
   * less memory and more time. Not beside `attention`, which would see every map twice.
   */
  readonly recompute?: boolean
  /** Keys and values of contexts that stay. Not for a gradient by `context`. */
  readonly memory?: PromptMemory | undefined
}

/**
 * The denoising network of Stable Diffusion 1.x and 2.x (Rombach et al. 2022; diffusers' UNet2DConditionModel).
 *
 * @param parameters - borrowed
 * @param config - the folder's `unet/config.json`
 * @param x - `[batch, height, width, in_channels]`, borrowed; any height and width
 * @returns the raw prediction `[batch, height, width, out_channels]`, owned by the caller
 * @throws ShapeError when `x` or the context do not fit the config
 * @throws AttentionError when a control is passed and the network has no attention
 */
export function unet(
  parameters: UNetParameters,
  config: UNetConfig,
  x: tf.Tensor4D,
  { timestep, context, attention, recompute = false, memory }: UNetInput,
): tf.Tensor4D {
  const batch = x.shape[0]
  expectShape(x, [null, null, null, config.in_channels], 'unet', 'x')
  expectShape(context, [batch, null, config.cross_attention_dim], 'unet', 'context')
  const groups = config.norm_num_groups
  const norm = { groups, epsilon: config.norm_eps }
  const headsPerLevel = config.attention_head_dim
  const sites = attentionSites(timestep, attention)

  const segment: typeof recomputed = (inputs, run) => (recompute ? recomputed(inputs, run) : run(...inputs))
  const prediction = tf.tidy(() => {
    const time = silu(timeEmbedding(parameters, config, timestep, batch))

    const resnet = (block: UNetBlockParameters, i: number, x: tf.Tensor4D) =>
      segment([x, time], (h, at) => resnetBlock(block.resnets[i]!, h, norm, at))
    const layer = (block: UNetBlockParameters, i: number, h: tf.Tensor4D, place: Place, heads: number) => {
      const mixed = resnet(block, i, h)
      const site = block.attentions?.[i]
      if (!site) return mixed
      const control = sites.at(place, i, mixed.shape)
      const recalled = memory?.recall(site.transformer_blocks[0].attn2, context)
      if (recalled) return transformer(site, mixed, recalled, { heads, groups, control })
      return segment([mixed, context], (x, prompt) =>
        transformer(site, x, prompt, { heads, groups, control }),
      )
    }

    let h = conv2d(parameters.conv_in, x)
    const skips = [h]
    parameters.down_blocks.forEach((block, level) => {
      block.resnets.forEach((_, i) => {
        h = layer(block, i, h, { arm: 'down', level }, headsPerLevel[level]!)
        skips.push(h)
      })
      if (!block.downsamplers) return
      h = downsample(block.downsamplers[0], h, [1, 1])
      skips.push(h)
    })

    h = layer(parameters.mid_block, 0, h, { arm: 'mid' }, headsPerLevel.at(-1)!)
    h = resnet(parameters.mid_block, 1, h)

    parameters.up_blocks.forEach((block, level) => {
      block.resnets.forEach((_, i) => {
        const joined = tf.concat([h, skips.pop()!], -1)
        h = layer(block, i, joined, { arm: 'up', level }, headsPerLevel.at(-1 - level)!)
      })
      // The next skip's size, not twice this one: they differ where a size was odd on the way down.
      if (block.upsamplers)
        h = upsample(block.upsamplers[0], h, skips.at(-1)!.shape.slice(1, 3) as [number, number])
    })

    return conv2d(parameters.conv_out, groupNormSilu(parameters.conv_norm_out, h, groups, config.norm_eps))
  })
  if (attention && sites.visited() === 0) {
    prediction.dispose()
    throw new AttentionError({
      rule: 'an attention control needs a network with attention',
      got: `a unet whose blocks are ${[...config.down_block_types, ...config.up_block_types].join(', ')}`,
      mend: 'Use a checkpoint with CrossAttn blocks, or leave the control out.',
    })
  }
  return prediction
}

function timeEmbedding(
  { time_embedding: { linear_1, linear_2 } }: UNetParameters,
  config: UNetConfig,
  timestep: number | readonly number[],
  batch: number,
): tf.Tensor2D {
  const timesteps = typeof timestep === 'number' ? new Array<number>(batch).fill(timestep) : timestep
  const sinusoid = timestepEmbedding(
    timesteps,
    config.block_out_channels[0]!,
    config.flip_sin_to_cos,
    config.freq_shift,
  )
  return linear(linear_2, silu(linear(linear_1, sinusoid)))
}
