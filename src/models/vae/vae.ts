import * as tf from '@tensorflow/tfjs'
import { expectShape } from '../../core/index.js'
import {
  attention,
  conv2d,
  downsample,
  groupNorm,
  groupNormSilu,
  linear,
  resnetBlock,
  upsample,
} from '../../nn/index.js'
import type { AutoencoderConfig } from '../config.js'
import type {
  AutoencoderArmParameters,
  AutoencoderMidParameters,
  AutoencoderParameters,
} from './parameters.js'

// Every group norm of the VAE, the attention's included.
const epsilon = 1e-6

/** The posterior `q(z | x)`, a diagonal Gaussian. Both tensors are owned by the caller. */
export interface Posterior {
  /** `[batch, height, width, latent channels]` */
  readonly mean: tf.Tensor4D
  /** Same shape, clamped to [-30, 20]. */
  readonly logVariance: tf.Tensor4D
}

/**
 * Image to posterior (Kingma & Welling 2014; the encoder of Rombach et al. 2022).
 *
 * @param parameters - borrowed
 * @param config - the folder's `vae/config.json`
 * @param image - `[batch, height, width, 3]` in **[-1, 1]**, borrowed; sides divisible by `2 ^ (levels - 1)`
 * @returns unscaled moments at an eighth of the size (with Stable Diffusion's four levels)
 * @throws ShapeError on another number of channels
 */
export function encode(
  parameters: AutoencoderParameters,
  config: AutoencoderConfig,
  image: tf.Tensor4D,
): Posterior {
  expectShape(image, [null, null, null, config.in_channels], 'encode', 'image')
  const { encoder, quant_conv } = parameters
  const norm = { groups: config.norm_num_groups, epsilon }
  return tf.tidy(() => {
    let h = conv2d(encoder.conv_in, image)
    for (const block of encoder.down_blocks) {
      for (const resnet of block.resnets) h = resnetBlock(resnet, h, norm)
      if (block.downsamplers) h = downsample(block.downsamplers[0], h, [0, 1])
    }
    h = middle(encoder.mid_block, h, norm)
    const moments = conv2d(quant_conv, head(encoder, h, norm.groups))
    const [mean, logVariance] = tf.split(moments, 2, -1) as [tf.Tensor4D, tf.Tensor4D]
    return { mean, logVariance: tf.clipByValue(logVariance, -30, 20) }
  })
}

/**
 * Latents to image.
 *
 * @param parameters - borrowed
 * @param config - the folder's `vae/config.json`
 * @param latents - **unscaled** `[batch, height, width, latent channels]`, borrowed
 * @returns `[batch, height', width', 3]`, about [-1, 1], not clamped; owned by the caller
 * @throws ShapeError on another number of channels
 */
export function decode(
  parameters: AutoencoderParameters,
  config: AutoencoderConfig,
  latents: tf.Tensor4D,
): tf.Tensor4D {
  expectShape(latents, [null, null, null, config.latent_channels], 'decode', 'latents')
  const { decoder, post_quant_conv } = parameters
  const norm = { groups: config.norm_num_groups, epsilon }
  return tf.tidy(() => {
    let h = conv2d(decoder.conv_in, conv2d(post_quant_conv, latents))
    h = middle(decoder.mid_block, h, norm)
    for (const block of decoder.up_blocks) {
      for (const resnet of block.resnets) h = resnetBlock(resnet, h, norm)
      if (block.upsamplers) h = upsample(block.upsamplers[0], h)
    }
    return head(decoder, h, norm.groups)
  })
}

/**
 * A draw from the posterior: `mean + exp(logVariance / 2) noise`.
 *
 * @param noise - standard normal, of the mean's shape; borrowed
 * @returns owned by the caller
 */
export function samplePosterior({ mean, logVariance }: Posterior, noise: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), noise)))
}

function middle(
  { resnets, attentions: [attend] }: AutoencoderMidParameters,
  x: tf.Tensor4D,
  norm: { groups: number; epsilon: number },
): tf.Tensor4D {
  const h = resnetBlock(resnets[0], x, norm)
  const [batch, height, width, channels] = h.shape
  const tokens: tf.Tensor3D = tf.reshape(groupNorm(attend.group_norm, h, norm.groups, epsilon), [
    batch,
    height * width,
    channels,
  ])
  const mixed = attention(
    linear(attend.to_q, tokens),
    linear(attend.to_k, tokens),
    linear(attend.to_v, tokens),
    1,
  )
  const attended = tf.add<tf.Tensor4D>(h, tf.reshape(linear(attend.to_out[0], mixed), h.shape))
  return resnetBlock(resnets[1], attended, norm)
}

function head(
  { conv_norm_out, conv_out }: AutoencoderArmParameters,
  x: tf.Tensor4D,
  groups: number,
): tf.Tensor4D {
  return conv2d(conv_out, groupNormSilu(conv_norm_out, x, groups, epsilon))
}
