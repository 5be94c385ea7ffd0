import * as tf from '@tensorflow/tfjs'
import { expectShape } from '../../core/index.js'
import { type ConvParameters, layerNorm, type NormParameters } from '../../nn/index.js'
import type { VisionEncoderConfig } from '../config/clip.js'
import { type ParameterShapes, shapeList } from '../shapes.js'
import { type ClipLayerParameters, clipLayerShapes, clipLayers, type EmbeddingParameters } from './layers.js'

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
    readonly layers: readonly ClipLayerParameters[]
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
  const batch = pixels.shape[0]
  return tf.tidy(() => {
    const patches = tf.conv2d(pixels, embeddings.patch_embedding.weight, patch, 'valid')
    const first = tf.tile(tf.reshape(embeddings.class_embedding, [1, 1, width]), [batch, 1, 1])
    const tokens = tf.concat([first, tf.reshape(patches, [batch, -1, width])], 1)
    const placed = tf.add<tf.Tensor3D>(tokens, embeddings.position_embedding.weight)
    const h = clipLayers(encoder.layers, config, layerNorm(pre_layrnorm, placed, epsilon), {
      causal: false,
    })
    const pooled = tf.reshape(tf.slice(h, [0, 0, 0], [batch, 1, width]), [batch, width]) as tf.Tensor2D
    return layerNorm(post_layernorm, pooled, epsilon)
  })
}

/** Every tensor of a CLIPVisionModel, named as the official files do, with the `vision_model.` prefix. */
export function visionEncoderShapes(config: VisionEncoderConfig): ParameterShapes {
  const { hidden_size: width, image_size, patch_size: patch } = config
  const list = shapeList()
  list.tensor('vision_model.embeddings.class_embedding', [width])
  list.conv('vision_model.embeddings.patch_embedding', 3, width, patch, false)
  list.tensor('vision_model.embeddings.position_embedding.weight', [
    Math.floor(image_size / patch) ** 2 + 1,
    width,
  ])
  list.norm('vision_model.pre_layrnorm', width)
  clipLayerShapes(list, 'vision_model.encoder.layers', config)
  list.norm('vision_model.post_layernorm', width)
  return list.shapes
}
