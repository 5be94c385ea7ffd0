import type * as tf from '@tensorflow/tfjs'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { convolve } from './convolutions.js'
import { multiply } from './products.js'
import { type At, simdOf } from './simd.js'

/*
 * Blocks of a network as one kernel each, by several of `native/wasm`: what a call costs in TensorFlow.js is paid once, and what
 * one of them makes for the next is no tensor. Weights come as the block's tree, an attribute.
 */

/** Weights of a layer, whatever it is. */
interface Layer {
  readonly weight: tf.TensorInfo
  readonly bias?: tf.TensorInfo
}

type Sides = readonly [batch: number, height: number, width: number, channels: number]

/** Layers from one place in the heap to another. */
function layersOf(backend: WasmKernelBackend) {
  const simd = simdOf(backend)
  const at = (tensor: tf.TensorInfo | undefined): At => addressOf(backend, tensor)
  return {
    simd,
    at,
    groupNorm({ weight, bias }: Layer, x: At, sides: Sides, { groups, epsilon }: Norm, silu: boolean, y: At) {
      const [batch, height, width, channels] = sides
      const pixels = height * width
      simd.groupNorm(x, at(weight), at(bias), batch, pixels, channels, groups, epsilon, silu, y, 0, 0)
    },
    layerNorm({ weight, bias }: Layer, x: At, rows: number, epsilon: number, y: At) {
      simd.layerNorm(x, at(weight), at(bias), rows, weight.shape[0]!, epsilon, y)
    },
    /** The weight may be that of a convolution of one pixel. */
    linear({ weight, bias }: Layer, x: At, rows: number, y: At, plus: At = 0) {
      const [depth, columns] = weight.shape.slice(-2) as [number, number]
      const sizes = { matrices: 1, rows, depth, columns, turned: false }
      multiply(backend, weight, sizes, { x, bias: at(bias), plus, y })
    },
    /** At stride 1, with a border that keeps the size. */
    convolution(
      { weight }: Layer,
      x: At,
      sides: Sides,
      y: At,
      terms: { bias: At; each?: number; plus?: At },
    ) {
      const [, outHeight, outWidth] = sides
      const [top, left] = [(weight.shape[0]! - 1) >> 1, (weight.shape[1]! - 1) >> 1]
      const { bias, each = 0, plus = 0 } = terms
      const moves = { stride: 1, top, left, outHeight, outWidth }
      convolve(backend, sides, weight, moves, { x, bias, biasSample: each, plus, y })
    },
  }
}

/** Runs something with memory for so many numbers each, and gives it back. */
function withRoom(backend: WasmKernelBackend, sizes: readonly number[], use: (...at: At[]) => void): void {
  const room = backend.wasm._malloc(4 * sizes.reduce((sum, size) => sum + size, 0)) >>> 0
  let next = room
  const places = sizes.map((size) => {
    next += 4 * size
    return next - 4 * size
  })
  try {
    use(...places)
  } finally {
    backend.wasm._free(room)
  }
}

interface Norm {
  readonly groups: number
  readonly epsilon: number
}

interface ResnetBlock extends Norm {
  readonly parameters: Readonly<Record<'norm1' | 'conv1' | 'norm2' | 'conv2', Layer>> &
    Readonly<Partial<Record<'time_emb_proj' | 'conv_shortcut', Layer>>>
}

/** `ResnetBlock`: see `nn/resnet-block.ts`. */
export const resnetBlock: tf.KernelFunc = ({ inputs, attrs, backend: host }) => {
  const norm = attrs as unknown as ResnetBlock
  const { norm1, conv1, time_emb_proj, norm2, conv2, conv_shortcut } = norm.parameters
  const backend = host as WasmKernelBackend
  const { simd, at, groupNorm, linear, convolution } = layersOf(backend)
  const sides = inputs.x!.shape as unknown as Sides
  const [batch, height, width, channels] = sides
  const out = conv1.weight.shape[3]!
  const made = [batch, height, width, out] as const
  const y = backend.makeOutput(made, 'float32')
  const pixels = batch * height * width
  if (pixels === 0) return y
  const [x, to] = [at(inputs.x), at(y)]
  withRoom(backend, [pixels * Math.max(channels, out), pixels * out, batch * out], (normed, h, shift) => {
    groupNorm(norm1, x, sides, norm, true, normed)
    const bias = at(conv1.bias)
    if (inputs.time && time_emb_proj) {
      linear(time_emb_proj, at(inputs.time), batch, shift)
      if (bias) simd.add(shift, bias, batch, batch, out, shift)
      convolution(conv1, normed, sides, h, { bias: shift, each: 4 * out })
    } else convolution(conv1, normed, sides, h, { bias })
    groupNorm(norm2, h, made, norm, true, normed)
    if (conv_shortcut) convolution(conv_shortcut, x, sides, to, { bias: at(conv_shortcut.bias) })
    convolution(conv2, normed, made, to, { bias: at(conv2.bias), plus: conv_shortcut ? to : x })
  })
  return y
}

interface Transformer extends Norm {
  readonly parameters: Readonly<Record<'norm' | 'proj_in' | 'proj_out', Layer>> & {
    readonly transformer_blocks: readonly [
      Readonly<Record<'norm1' | 'norm2' | 'norm3', Layer>> &
        Readonly<Record<'attn1' | 'attn2', Attention>> & {
          readonly ff: { readonly net: { readonly 0: { readonly proj: Layer }; readonly 2: Layer } }
        },
    ]
  }
  readonly heads: number
  /** Of the layer norms. */
  readonly layerEpsilon: number
}

interface Attention extends Readonly<Record<'to_q' | 'to_k' | 'to_v', Layer>> {
  readonly to_out: readonly [Layer]
}

/** `Transformer`: see `models/unet/transformer.ts`. */
export const transformer: tf.KernelFunc = ({ inputs, attrs, backend: host }) => {
  const norm = attrs as unknown as Transformer
  const { parameters, heads, layerEpsilon } = norm
  const { norm1, attn1, norm2, attn2, norm3, ff } = parameters.transformer_blocks[0]
  const backend = host as WasmKernelBackend
  const { simd, at, groupNorm, layerNorm, linear } = layersOf(backend)
  const sides = inputs.x!.shape as unknown as Sides
  const [batch, height, width, channels] = sides
  const y = backend.makeOutput(sides, 'float32')
  const tokens = height * width
  const rows = batch * tokens
  if (rows === 0) return y
  const promptTokens = (inputs.context ?? inputs.keys)!.shape[1]!
  const hidden = ff.net[2].weight.shape[0]!
  const [size, promptSize] = [rows * channels, batch * promptTokens * channels]
  const most = Math.max(3 * size, size + 2 * promptSize, 3 * rows * hidden)
  const depth = channels / heads
  const scale = depth ** -0.5
  const x = at(inputs.x)
  withRoom(backend, [size, size, most], (normed, h, q) => {
    const attend = ({ to_out }: Attention, k: At, v: At, keys: number): void => {
      simd.attention(q, k, v, batch, heads, tokens, keys, depth, scale, false, normed, 0)
      linear(to_out[0], normed, rows, h, h)
    }
    groupNorm(parameters.norm, x, sides, norm, false, normed)
    linear(parameters.proj_in, normed, rows, h)

    layerNorm(norm1, h, rows, layerEpsilon, normed)
    const [ownKeys, ownValues] = [q + 4 * size, q + 8 * size]
    linear(attn1.to_q, normed, rows, q)
    linear(attn1.to_k, normed, rows, ownKeys)
    linear(attn1.to_v, normed, rows, ownValues)
    attend(attn1, ownKeys, ownValues, tokens)

    layerNorm(norm2, h, rows, layerEpsilon, normed)
    linear(attn2.to_q, normed, rows, q)
    if (inputs.context) {
      const [keys, values] = [q + 4 * size, q + 4 * (size + promptSize)]
      linear(attn2.to_k, at(inputs.context), batch * promptTokens, keys)
      linear(attn2.to_v, at(inputs.context), batch * promptTokens, values)
      attend(attn2, keys, values, promptTokens)
    } else attend(attn2, at(inputs.keys), at(inputs.values), promptTokens)

    layerNorm(norm3, h, rows, layerEpsilon, normed)
    const gated = q + 8 * rows * hidden
    linear(ff.net[0].proj, normed, rows, q)
    simd.geglu(q, rows, hidden, gated)
    linear(ff.net[2], gated, rows, h, h)

    linear(parameters.proj_out, h, rows, at(y), x)
  })
  return y
}
