import * as tf from '@tensorflow/tfjs'
import { ShapeError } from '../../core/index.js'
import { layerNorm, type NormParameters } from '../../nn/index.js'
import type { TextEncoderConfig } from '../config.js'
import { type ParameterShapes, shapeList } from '../shapes.js'
import { type ClipLayerParameters, clipLayerShapes, clipLayers, type EmbeddingParameters } from './layers.js'

/** A CLIPTextModel's tree below `text_model`, in this library's layout. */
export interface TextEncoderParameters {
  /** Tables for tokens `[vocabulary, width]` and positions `[77, width]`. */
  readonly embeddings: {
    /** One row per token id. */
    readonly token_embedding: EmbeddingParameters
    /** One row per position. */
    readonly position_embedding: EmbeddingParameters
  }
  /** The layers. */
  readonly encoder: {
    /** From the first to the last. */
    readonly layers: readonly ClipLayerParameters[]
  }
  /** After the last layer; Stable Diffusion conditions on its output. */
  readonly final_layer_norm: NormParameters
}

/**
 * Token ids to prompt embeddings: CLIP's causal text transformer (Radford et al. 2021), last hidden state after
 * the final norm, as Stable Diffusion conditions on it.
 *
 * @param parameters - borrowed
 * @param config - the folder's `text_encoder/config.json`
 * @param ids - one row per prompt, all of one length of at most `max_position_embeddings`
 * @returns `[prompts, tokens, width]`, owned by the caller
 * @throws ShapeError on ragged rows, rows too long, or ids outside the vocabulary
 */
export function encodeText(
  parameters: TextEncoderParameters,
  config: TextEncoderConfig,
  ids: readonly (readonly number[])[],
): tf.Tensor3D {
  expectTokens(ids, config)
  const { embeddings, encoder, final_layer_norm } = parameters
  const tokens = ids[0]!.length
  return tf.tidy(() => {
    const table = embeddings.token_embedding.weight
    const words = tf.reshape(tf.gather(table, tf.tensor1d(ids.flat(), 'int32')), [ids.length, tokens, -1])
    const places = tf.slice(embeddings.position_embedding.weight, [0, 0], [tokens, -1])
    const x = tf.add<tf.Tensor3D>(words, places)
    const h = clipLayers(encoder.layers, config, x, { causal: true })
    return layerNorm(final_layer_norm, h, config.layer_norm_eps)
  })
}

/**
 * Every tensor of a CLIPTextModel, named as the official files do, with the `text_model.` prefix.
 *
 * @param config - Stable Diffusion 1's gives 123,060,480 parameters, 2's 340,387,840
 */
export function textEncoderShapes(config: TextEncoderConfig): ParameterShapes {
  const { hidden_size: width } = config
  const list = shapeList()
  list.tensor('text_model.embeddings.token_embedding.weight', [config.vocab_size, width])
  list.tensor('text_model.embeddings.position_embedding.weight', [config.max_position_embeddings, width])
  clipLayerShapes(list, 'text_model.encoder.layers', config)
  list.norm('text_model.final_layer_norm', width)
  return list.shapes
}

function expectTokens(ids: readonly (readonly number[])[], config: TextEncoderConfig): void {
  const lengths = [...new Set(ids.map((row) => row.length))]
  if (lengths.length !== 1 || lengths[0]! < 1 || lengths[0]! > config.max_position_embeddings) {
    throw new ShapeError({
      rule: `encodeText needs rows of token ids of one length from 1 to ${config.max_position_embeddings}`,
      got: ids.length === 0 ? 'no rows' : `lengths ${lengths.join(', ')}`,
      mend: 'Encode every prompt with the same tokenizer, which pads to one length.',
    })
  }
  const alien = ids.flat().find((id) => !(Number.isInteger(id) && id >= 0 && id < config.vocab_size))
  if (alien === undefined) return
  throw new ShapeError({
    rule: `encodeText needs token ids from 0 to ${config.vocab_size - 1}`,
    got: String(alien),
    mend: 'Use the tokenizer of the folder that the text encoder comes from.',
  })
}
