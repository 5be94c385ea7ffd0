import * as tf from '@tensorflow/tfjs'
import { runUntapedKernel } from '../../core/index.js'
import {
  type BlockControl,
  type ConvParameters,
  conv2d,
  conv2dPlus,
  groupNorm,
  type KeysAndValues,
  type LinearParameters,
  layerNormEpsilon,
  linear,
  linearPlus,
  type NormParameters,
  type TransformerBlockParameters,
  transformerBlock,
} from '../../nn/index.js'

/** A spatial transformer: Stable Diffusion 1 projects by 1 × 1 convolutions, 2 by linear layers. */
export interface TransformerParameters {
  /** Before the projection; its epsilon is 1e-6, unlike the UNet's other norms. */
  readonly norm: NormParameters
  /** Into the transformer. */
  readonly proj_in: ConvParameters | LinearParameters
  /** One block in every Stable Diffusion. */
  readonly transformer_blocks: readonly [TransformerBlockParameters]
  /** Out of the transformer. */
  readonly proj_out: ConvParameters | LinearParameters
}

/**
 * Pixels as tokens: norm, project, transformer block, project, add (Rombach et al. 2022, appendix). One kernel where the backend
 * can, nothing is differentiated and no map is shown.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param context - `[batch, tokens, width]`, or its keys and values; borrowed
 * @returns same shape as `x`, owned by the caller
 */
export function transformer(
  parameters: TransformerParameters,
  x: tf.Tensor4D,
  context: tf.Tensor3D | KeysAndValues,
  { heads, groups, control }: { heads: number; groups: number; control?: BlockControl },
): tf.Tensor4D {
  const isShown = control?.self || control?.cross
  const [own] = isShown ? [] : (atOnce(parameters, x, context, heads, groups) ?? [])
  if (own) return own as tf.Tensor4D
  const { norm, proj_in, transformer_blocks, proj_out } = parameters
  return tf.tidy(() => {
    const [batch, height, width, channels] = x.shape
    const tokens = tf.reshape(project(proj_in, groupNorm(norm, x, groups, epsilon)), [
      batch,
      height * width,
      channels,
    ])
    const mixed = transformerBlock(transformer_blocks[0], tokens as tf.Tensor3D, context, heads, control)
    const out = tf.reshape(mixed, x.shape) as tf.Tensor4D
    return isConv(proj_out) ? conv2dPlus(proj_out, out, x) : linearPlus(proj_out, out, x)
  })
}

// Of the group norm, unlike that of the UNet's others.
const epsilon = 1e-6

function atOnce(
  parameters: TransformerParameters,
  x: tf.Tensor4D,
  context: tf.Tensor3D | KeysAndValues,
  heads: number,
  groups: number,
): tf.Tensor[] | undefined {
  const prompt = 'keys' in context ? { keys: context.keys, values: context.values } : { context }
  const attributes = { parameters, heads, groups, epsilon, layerEpsilon: layerNormEpsilon }
  return runUntapedKernel('Transformer', { x, ...prompt }, attributes)
}

const project = (parameters: ConvParameters | LinearParameters, x: tf.Tensor4D): tf.Tensor4D =>
  isConv(parameters) ? conv2d(parameters, x) : linear(parameters, x)

const isConv = (parameters: ConvParameters | LinearParameters): parameters is ConvParameters =>
  parameters.weight.rank === 4
