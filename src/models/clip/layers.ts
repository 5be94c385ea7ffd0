import * as tf from '@tensorflow/tfjs'
import {
  attention,
  gelu,
  type LinearParameters,
  layerNorm,
  linear,
  type NormParameters,
  quickGelu,
} from '../../nn/index.js'
import type { VisionEncoderConfig } from '../config/clip.js'
import type { ShapeList } from '../shapes.js'

/** One pre-norm transformer layer of either tower. */
export interface ClipLayerParameters {
  /** Before self-attention. */
  readonly layer_norm1: NormParameters
  /** Self-attention, all with biases. */
  readonly self_attn: {
    /** Queries. */
    readonly q_proj: LinearParameters
    /** Keys. */
    readonly k_proj: LinearParameters
    /** Values. */
    readonly v_proj: LinearParameters
    /** Output. */
    readonly out_proj: LinearParameters
  }
  /** Before the feed-forward. */
  readonly layer_norm2: NormParameters
  /** The feed-forward. */
  readonly mlp: {
    /** Widens. */
    readonly fc1: LinearParameters
    /** Narrows. */
    readonly fc2: LinearParameters
  }
}

/** A table of embeddings. */
export interface EmbeddingParameters {
  /** `[rows, width]` */
  readonly weight: tf.Tensor2D
}

/** What both towers' configs say of their layers. */
export type ClipLayersConfig = Omit<VisionEncoderConfig, 'image_size' | 'patch_size'>

/**
 * Tokens through the layers of a tower, `[batch, tokens, width]` to the same, owned by the caller; `causal` if a token
 * sees none after it.
 */
export function clipLayers(
  layers: readonly ClipLayerParameters[],
  config: ClipLayersConfig,
  x: tf.Tensor3D,
  { causal }: { readonly causal: boolean },
): tf.Tensor3D {
  const { num_attention_heads: heads, layer_norm_eps: epsilon } = config
  const activate = config.hidden_act === 'gelu' ? gelu : quickGelu
  return tf.tidy(() => {
    let h = x.clone()
    for (const { layer_norm1, self_attn, layer_norm2, mlp } of layers) {
      const normal = layerNorm(layer_norm1, h, epsilon)
      const mixed = attention(
        linear(self_attn.q_proj, normal),
        linear(self_attn.k_proj, normal),
        linear(self_attn.v_proj, normal),
        heads,
        { causal },
      )
      h = tf.add<tf.Tensor3D>(h, linear(self_attn.out_proj, mixed))
      const inner = activate(linear(mlp.fc1, layerNorm(layer_norm2, h, epsilon)))
      h = tf.add<tf.Tensor3D>(h, linear(mlp.fc2, inner))
    }
    return h
  })
}

/** The tensors of a tower's layers, below `name`. */
export function clipLayerShapes(list: ShapeList, name: string, config: ClipLayersConfig): void {
  const { hidden_size: width, intermediate_size: inner } = config
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${name}.${i}`
    list.norm(`${layer}.layer_norm1`, width)
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj'])
      list.linear(`${layer}.self_attn.${part}`, width, width)
    list.norm(`${layer}.layer_norm2`, width)
    list.linear(`${layer}.mlp.fc1`, width, inner)
    list.linear(`${layer}.mlp.fc2`, inner, width)
  }
}
