import type { Tensor4D } from '@tensorflow/tfjs'
import type { ConvParameters } from '../../nn/index.js'

/** A residual block: its convolutions under their places in PyTorch's `Sequential`, and the way round them. */
export interface HvaeBlockParameters {
  /** `1`, `3`, and for full blocks `5`, `7`: activations lie between. */
  readonly conv: Readonly<Record<string, ConvParameters>>
  /** 1 × 1, where the width changes. */
  readonly width_proj?: ConvParameters
}

/** One top-down block. */
export interface HvaeDecoderBlockParameters {
  /** `h[, pa]` to location, log-scale and features. */
  readonly prior: HvaeBlockParameters
  /** `h, pa, encoder` to location and log-scale. */
  readonly posterior?: HvaeBlockParameters
  /** `z, pa` into the stream. */
  readonly z_proj: ConvParameters
  /** `z, features` to the next prior's input, without `q_correction`. */
  readonly z_feat_proj?: ConvParameters
  /** The block itself. */
  readonly conv: HvaeBlockParameters
}

/** The bottom-up half. */
export interface HvaeEncoderParameters {
  /** 7 × 7. */
  readonly stem: ConvParameters
  /** From fine to coarse. */
  readonly blocks: readonly HvaeBlockParameters[]
}

/** The top-down half. */
export interface HvaeDecoderParameters {
  /** From coarse to fine. */
  readonly blocks: readonly HvaeDecoderBlockParameters[]
  /** One per resolution, `[resolution, resolution, width, 1]`. */
  readonly bias: readonly Tensor4D[]
}

/** The discretised Gaussian's heads, 1 × 1. */
export interface HvaeLikelihoodParameters {
  /** The means. */
  readonly x_loc: ConvParameters
  /** The logarithms of the deviations. */
  readonly x_logscale: ConvParameters
  /** How later channels lean on earlier ones, of three. */
  readonly channel_coeffs?: ConvParameters
}

/** The tree of causal-gen's `HVAE`, in this library's layout. */
export interface HvaeParameters {
  /** Bottom-up. */
  readonly encoder: HvaeEncoderParameters
  /** Top-down. */
  readonly decoder: HvaeDecoderParameters
  /** What is seen. */
  readonly likelihood: HvaeLikelihoodParameters
}
