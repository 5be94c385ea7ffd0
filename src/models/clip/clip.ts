import * as tf from '@tensorflow/tfjs'
import type { Tokenizer } from '../../core/index.js'
import { type LinearParameters, linear, type NamedParameters, parameterTree } from '../../nn/index.js'
import type { ClipConfig } from '../config/clip.js'
import { type ParameterShapes, shapeList } from '../shapes.js'
import { type ClipOptions, clipPixels, expectResize } from './clip-pixels.js'
import { encodeText, type TextEncoderParameters, textEncoderShapes } from './text-encoder.js'
import { encodeVision, type VisionEncoderParameters, visionEncoderShapes } from './vision-encoder.js'

/** What a CLIP is made of. */
export interface ClipParts {
  /** Of both towers. */
  readonly config: ClipConfig
  /** By the checkpoint's names; owned by the CLIP from here on. */
  readonly weights: NamedParameters
  /** Of the same checkpoint. */
  readonly tokenizer: Tokenizer
}

/** CLIP: pictures and texts in one space. It owns its weights. */
export interface Clip {
  /** Of both towers. */
  readonly config: ClipConfig
  /**
   * Pictures `[n, height, width, 3]` in [0, 1] of any size (borrowed) to `[n, projection]`, owned by the caller:
   * shorter side to the model's size by an 8-bit bicubic with antialias, the centre cut out, normalised, encoded.
   * The length of a row means nothing; compare by cosine.
   */
  embedImages(images: tf.Tensor4D): tf.Tensor2D
  /** Texts to `[n, projection]`, owned by the caller: the state at the first end-of-text token, projected. */
  embedTexts(texts: readonly string[]): tf.Tensor2D
  /** Frees the weights. Idempotent. */
  dispose(): void
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void
}

interface ClipTree {
  readonly text_model: TextEncoderParameters
  readonly vision_model: VisionEncoderParameters
  readonly text_projection: LinearParameters
  readonly visual_projection: LinearParameters
}

/**
 * A CLIP from its parts, with both encoders and both projections.
 *
 * @param parts - config, weights, tokenizer
 * @param options - whose resize
 * @returns owned by the caller: `dispose()` it, and the weights go too
 * @throws ArgumentError on another resize
 * @see Radford et al. 2021, "Learning transferable visual models from natural language supervision".
 */
export function clip(
  { config, weights, tokenizer }: ClipParts,
  { resize = 'pillow' }: ClipOptions = {},
): Clip {
  expectResize(resize)
  const tree = parameterTree<ClipTree>(weights)
  const dispose = () => tf.dispose([...weights.values()])
  return {
    config,
    embedImages: (images) =>
      tf.tidy(() => {
        const pixels = clipPixels(images, config.vision.image_size, resize)
        return linear(tree.visual_projection, encodeVision(tree.vision_model, config.vision, pixels))
      }),
    embedTexts: (texts) => {
      const ids = texts.map((text) => [...tokenizer.encode(text).ids])
      return tf.tidy(() => {
        const states = encodeText(tree.text_model, config.text, ids)
        return linear(tree.text_projection, poolText(states, ids, config))
      })
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

/** Every tensor of a CLIPModel but `logit_scale`, which only training needs. */
export function clipShapes(config: ClipConfig): ParameterShapes {
  const list = shapeList()
  list.linear('text_projection', config.text.hidden_size, config.projection_dim, false)
  list.linear('visual_projection', config.vision.hidden_size, config.projection_dim, false)
  return new Map([...textEncoderShapes(config.text), ...visionEncoderShapes(config.vision), ...list.shapes])
}

// The first end-of-text token; padding repeats it, and configs of old write 2 for "the highest id".
function poolText(states: tf.Tensor3D, ids: readonly (readonly number[])[], config: ClipConfig): tf.Tensor2D {
  const { eos_token_id: end } = config.text
  const at = ids.map((row) => {
    const found = end === 2 ? row.indexOf(Math.max(...row)) : row.indexOf(end)
    return found < 0 ? row.indexOf(Math.max(...row)) : found
  })
  const [n, tokens, width] = states.shape
  const flat = tf.reshape(states, [n * tokens, width])
  return tf.gather(
    flat,
    tf.tensor1d(
      at.map((place, i) => i * tokens + place),
      'int32',
    ),
  ) as tf.Tensor2D
}
