import { attentionBlockBytes } from '../../nn/index.js'
import type { AutoencoderConfig, TextEncoderConfig, UNetConfig } from '../config.js'
import { attends } from '../unet/shapes.js'

/** Bytes of a float32. */
export const float = 4

/** A batch of feature maps. */
interface Extent {
  readonly batch: number
  readonly height: number
  readonly width: number
}

interface UnetExtent extends Extent {
  /** The longest side of a map whose self-attention a control sees, which is then written out whole; none by default. */
  readonly seenUpTo?: number
}

// What one block holds while it runs, and what its backward pass needs kept.
interface Block {
  readonly working: number
  readonly kept: number
}

/**
 * Activations of a UNet, in bytes: alive at once in a forward pass, and kept through a forward and a backward pass.
 *
 * A forward pass holds the skips of the way down and the working set of the block that runs; a backward pass needs
 * nearly every intermediate result.
 */
export function unetActivations(
  config: UNetConfig,
  { batch, height, width, seenUpTo = 0 }: UnetExtent,
): { readonly forward: number; readonly backward: number } {
  const { block_out_channels: widths, layers_per_block: layers } = config
  const sides = widths.map((_, level) => [height, width].map((side) => Math.ceil(side / 2 ** level)))
  const pixels = sides.map(([high, wide]) => high! * wide!)
  const map = (level: number, channels: number) => float * batch * pixels[level]! * channels
  const last = widths.length - 1
  let skips = map(0, widths[0]!)
  const blocks: Block[] = []
  const transformer = (level: number) =>
    transformerBlock(
      batch,
      pixels[level]!,
      widths[level]!,
      config.attention_head_dim[level]!,
      Math.max(...sides[level]!) <= seenUpTo,
    )

  widths.forEach((out, level) => {
    for (let i = 0; i < layers[level]!; i++) {
      const into = i === 0 ? (widths[level - 1] ?? widths[0]!) : out
      blocks.push(resnetBlock(map(level, into), map(level, out)))
      if (attends(config.down_block_types[level]!)) blocks.push(transformer(level))
    }
    skips += layers[level]! * map(level, out) + (level < last ? map(level + 1, out) : 0)
  })
  const bottom = map(last, widths[last]!)
  blocks.push(resnetBlock(bottom, bottom), transformer(last), resnetBlock(bottom, bottom))
  for (let level = last; level >= 0; level--) {
    const out = widths[level]!
    for (let i = 0; i <= layers[level]!; i++) {
      const hidden = i === 0 ? (widths[level + 1] ?? out) : out
      const skip = i === layers[level]! ? (widths[level - 1] ?? widths[0]!) : out
      blocks.push(resnetBlock(map(level, hidden + skip), map(level, out)))
      if (attends(config.up_block_types[last - level]!)) blocks.push(transformer(level))
    }
  }
  // The time embedding, the first and the last convolution are small beside these.
  const working = 1.1 * Math.max(...blocks.map((block) => block.working))
  const kept = blocks.reduce((sum, block) => sum + block.kept, skips)
  return { forward: skips + working, backward: kept + working }
}

/** Activations of a VAE, in bytes, alive at once: of its encoder and of its decoder. */
export function autoencoderActivations(
  config: AutoencoderConfig,
  { batch, height, width }: Extent,
): { readonly encode: number; readonly decode: number } {
  const widths = config.block_out_channels
  const map = (level: number, channels: number) => (float * batch * height * width * channels) / 4 ** level
  const last = widths.length - 1
  const tokens = (height * width) / 4 ** last
  const middle = 4.3 * attentionBytes(batch, 1, tokens, tokens) + 12 * map(last, widths[last]!)
  const down = widths.map((out, level) =>
    resnetBlock(map(level, widths[level - 1] ?? widths[0]!), map(level, out)),
  )
  const up = widths.map((out, level) => resnetBlock(map(level, widths[level + 1] ?? out), map(level, out)))
  const most = (blocks: readonly Block[]) => Math.max(middle, ...blocks.map((block) => block.working))
  return { encode: most(down), decode: most(up) }
}

/** Activations of a CLIP text encoder, in bytes, alive at once. */
export function textActivations(config: TextEncoderConfig, prompts: number): number {
  const tokens = config.max_position_embeddings
  const scores = attentionBytes(prompts, config.num_attention_heads, tokens, tokens)
  return 3 * scores + float * prompts * tokens * (8 * config.hidden_size + 3 * config.intermediate_size)
}

// The factors below were measured: tensors alive in one block on wasm, where products of many matrices are made one
// by one and then joined; other backends hold less. A block's results live until it ends, and those of a backward
// pass until all of it ends.

// The input, its norm and its SiLU; the first convolution's result, its norm and its SiLU, and so on.
function resnetBlock(into: number, out: number): Block {
  return { working: 3 * into + 9 * out, kept: 20 * into + 42 * out }
}

// Query, key and value, once more per head; a block of scores and of probabilities, or all of them where a control sees them.
// Then the gated feed-forward layer, eight times as wide, whose halves are split, gated and multiplied. A backward pass keeps
// no scores.
function transformerBlock(
  batch: number,
  pixels: number,
  channels: number,
  heads: number,
  isSeen: boolean,
): Block {
  const map = float * batch * pixels * channels
  const scores = attentionBytes(batch, heads, pixels, pixels)
  return {
    working: 75 * map + 4.3 * (isSeen ? scores : Math.min(scores, attentionBlockBytes)),
    kept: 330 * map,
  }
}

function attentionBytes(batch: number, heads: number, queries: number, keys: number): number {
  return float * batch * heads * queries * keys
}
