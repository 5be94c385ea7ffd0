import * as tf from '@tensorflow/tfjs'
import { expectShape } from '../../core/index.js'
import {
  attention,
  type ConvParameters,
  gelu,
  layerNorm,
  linear,
  type NormParameters,
  quickGelu,
} from '../../nn/index.js'
import type { VisionEncoderConfig } from '../config/clip.js'
import { type ParameterShapes, shapeList } from '../shapes.js'
import type { EmbeddingParameters, TextLayerParameters } from './text-encoder.js'

/** A CLIPVisionModel's tree below `vision_model`, in this library's layout. */
export interface VisionEncoderParameters {
  /** Patches, the class token, and positions. */
  readonly embeddings: {
    /** `[width]` */
    readonly class_embedding: tf.Tensor1D
    /** One patch to one token, without bias. */
    readonly patch_embedding: ConvParameters
    /** One row per token, the class token's first. */
    readonly position_embedding: EmbeddingParameters
  }
  /** Before the first layer; the checkpoints spell it so. */
  readonly pre_layrnorm: NormParameters
  /** The layers. */
  readonly encoder: {
    /** From the first to the last. */
    readonly layers: readonly TextLayerParameters[]
  }
  /** On the class token after the last layer. */
  readonly post_layernorm: NormParameters
}

/**
 * Pictures to CLIP's pooled image embedding, before the projection: patches and a class token through a transformer
 * without a mask; the class token of the last layer, normalised (Radford et al. 2021).
 *
 * @param parameters - borrowed
 * @param config - the `vision_config` of the folder's `config.json`
 * @param pixels - `[batch, size, size, 3]`, resized and normalised as the model was trained; borrowed
 * @returns `[batch, width]`, owned by the caller
 * @throws ShapeError on another size
 */
export function encodeVision(
  parameters: VisionEncoderParameters,
  config: VisionEncoderConfig,
  pixels: tf.Tensor4D,
): tf.Tensor2D {
  const { image_size: side, hidden_size: width, patch_size: patch, layer_norm_eps: epsilon } = config
  expectShape(pixels, [null, side, side, 3], 'encodeVision', 'pixels')
  const { embeddings, pre_layrnorm, encoder, post_layernorm } = parameters
  const activate = config.hidden_act === 'gelu' ? gelu : quickGelu
  const batch = pixels.shape[0]
  return tf.tidy(() => {
    const patches = tf.conv2d(pixels, embeddings.patch_embedding.weight, patch, 'valid')
    const first = tf.tile(tf.reshape(embeddings.class_embedding, [1, 1, width]), [batch, 1, 1])
    const tokens = tf.concat([first, tf.reshape(patches, [batch, -1, width])], 1)
    let h = layerNorm(
      pre_layrnorm,
      tf.add<tf.Tensor3D>(tokens, embeddings.position_embedding.weight),
      epsilon,
    )
    for (const { layer_norm1, self_attn, layer_norm2, mlp } of encoder.layers) {
      const x = layerNorm(layer_norm1, h, epsilon)
      const mixed = attention(
        linear(self_attn.q_proj, x),
        linear(self_attn.k_proj, x),
        linear(self_attn.v_proj, x),
        config.num_attention_heads,
      )
      h = tf.add<tf.Tensor3D>(h, linear(self_attn.out_proj, mixed))
      const inner = activate(linear(mlp.fc1, layerNorm(layer_norm2, h, epsilon)))
      h = tf.add<tf.Tensor3D>(h, linear(mlp.fc2, inner))
    }
    const pooled = tf.reshape(tf.slice(h, [0, 0, 0], [batch, 1, width]), [batch, width]) as tf.Tensor2D
    return layerNorm(post_layernorm, pooled, epsilon)
  })
}

/** Every tensor of a CLIPVisionModel, named as the official files do, with the `vision_model.` prefix. */
export function visionEncoderShapes(config: VisionEncoderConfig): ParameterShapes {
  const { hidden_size: width, intermediate_size: inner, image_size, patch_size: patch } = config
  const list = shapeList()
  list.tensor('vision_model.embeddings.class_embedding', [width])
  list.conv('vision_model.embeddings.patch_embedding', 3, width, patch, false)
  list.tensor('vision_model.embeddings.position_embedding.weight', [
    Math.floor(image_size / patch) ** 2 + 1,
    width,
  ])
  list.norm('vision_model.pre_layrnorm', width)
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `vision_model.encoder.layers.${i}`
    list.norm(`${layer}.layer_norm1`, width)
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj'])
      list.linear(`${layer}.self_attn.${part}`, width, width)
    list.norm(`${layer}.layer_norm2`, width)
    list.linear(`${layer}.mlp.fc1`, width, inner)
    list.linear(`${layer}.mlp.fc2`, inner, width)
  }
  list.norm('vision_model.post_layernorm', width)
  return list.shapes
}
