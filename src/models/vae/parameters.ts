import type {
  AttentionParameters,
  ConvParameters,
  NormParameters,
  ResampleParameters,
  ResnetBlockParameters,
} from '../../nn/index.js'

/** One level of the encoder or decoder. */
export interface AutoencoderBlockParameters {
  /** Residual blocks, in order. */
  readonly resnets: readonly ResnetBlockParameters[]
  /** At the end of every encoder level but the last. */
  readonly downsamplers?: readonly [ResampleParameters]
  /** At the end of every decoder level but the last. */
  readonly upsamplers?: readonly [ResampleParameters]
}

/** Attention among all pixels. */
export interface AutoencoderAttentionParameters extends AttentionParameters {
  /** Before the projections. */
  readonly group_norm: NormParameters
}

/** Two residual blocks around one single-head attention. */
export interface AutoencoderMidParameters {
  /** Before and after the attention. */
  readonly resnets: readonly [ResnetBlockParameters, ResnetBlockParameters]
  /** Its projections, with biases, behind a group norm. */
  readonly attentions: readonly [AutoencoderAttentionParameters]
}

/** What encoder and decoder have in common. */
export interface AutoencoderArmParameters {
  /** Into the first width. */
  readonly conv_in: ConvParameters
  /** At the coarsest level. */
  readonly mid_block: AutoencoderMidParameters
  /** Before the last convolution. */
  readonly conv_norm_out: NormParameters
  /** Out of the last width. */
  readonly conv_out: ConvParameters
}

/** The encoder. */
export interface AutoencoderEncoderParameters extends AutoencoderArmParameters {
  /** From fine to coarse. */
  readonly down_blocks: readonly AutoencoderBlockParameters[]
}

/** The decoder. */
export interface AutoencoderDecoderParameters extends AutoencoderArmParameters {
  /** From coarse to fine. */
  readonly up_blocks: readonly AutoencoderBlockParameters[]
}

/** An AutoencoderKL's tree, in this library's layout. */
export interface AutoencoderParameters {
  /** Image to moments. */
  readonly encoder: AutoencoderEncoderParameters
  /** Latents to image. */
  readonly decoder: AutoencoderDecoderParameters
  /** 1 × 1, on the moments. */
  readonly quant_conv: ConvParameters
  /** 1 × 1, on the latents. */
  readonly post_quant_conv: ConvParameters
}
