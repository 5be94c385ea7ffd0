import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Owned } from './scope.js'

/** Where in the network an attention map was computed. */
export interface AttentionSite {
  /** `'self'`: image to image; `'cross'`: image to prompt tokens. */
  readonly kind: 'self' | 'cross'
  /** The arm of the U. */
  readonly place: 'down' | 'mid' | 'up'
  /** The module's path in the checkpoint, e.g. `down_blocks.1.attentions.0.transformer_blocks.0.attn2`. */
  readonly name: string
  /** Order of execution in one call of the network, counting self and cross together from 0. */
  readonly layer: number
  /** Height of the feature map whose pixels are the queries. */
  readonly height: number
  /** Width of the feature map whose pixels are the queries. */
  readonly width: number
  /** The timestep(s) that the network was called with. */
  readonly timestep: number | readonly number[]
}

/** Sees the attention maps of one call of the network and may answer with others. */
export interface AttentionControl {
  /**
   * @param probabilities - `[batch, heads, queries, keys]`, rows sum to one; borrowed
   * @param site - where the map was computed
   * @returns the same tensor to leave it alone, or a new one of the same shape (owned by the network)
   */
  (probabilities: Tensor4D, site: AttentionSite): Tensor4D
  /**
   * Asked before a map is made, in the order of the sites: one that is not wanted is never written out whole, and need not be
   * shown. All are wanted by default.
   */
  readonly wants?: (site: AttentionSite) => boolean
}

/**
 * The one shape that samplers, inverters and editors know of a diffusion network: noisy latents in, its raw
 * prediction (noise, v or sample, as it was trained) out. A UNet is one. So is a three-line fake in a test.
 *
 * Synchronous, differentiable in `x` and `context`, and tidy: it leaves no tensor but its result.
 *
 * @param x - noisy latents `[batch, height, width, channels]`, borrowed
 * @param timestep - one for all rows, or one per row
 * @param context - prompt embeddings `[batch, tokens, width]`, borrowed
 * @param attention - sees and may replace every attention map of this call
 * @returns `[batch, height, width, channels]`, owned by the caller
 */
export interface Denoiser {
  (
    x: Tensor4D,
    timestep: number | readonly number[],
    context: Tensor3D,
    attention?: AttentionControl,
  ): Tensor4D
  /** Computes what depends on a context alone once, not at every call, until it is disposed of: see `prepareContext`. */
  readonly prepare?: (context: Tensor3D) => Owned
}

/** A prompt as the text encoder sees it. */
export interface TokenizedPrompt {
  /** The prompt as it was given. */
  readonly prompt: string
  /** Token ids, padded to the encoder's length (77): BOS, tokens, EOS, padding. */
  readonly ids: readonly number[]
  /** Tokens before padding, BOS and EOS included. */
  readonly length: number
  /** The text that did not fit; empty when everything did. */
  readonly truncated: string
}

/** Prompt to tokens. */
export interface Tokenizer {
  /** Length of every encoding, padding included: 77 for CLIP. */
  readonly maxLength: number
  /** Encodes one prompt; never throws on length, see {@link TokenizedPrompt.truncated}. */
  encode(prompt: string): TokenizedPrompt
  /** The text of each id, as BPE spells it, without the end-of-word mark. */
  decodeToken(id: number): string
}

/** How images and latents of a model relate. */
export interface LatentGeometry {
  /** Image pixels per latent pixel, on each side: 8 for Stable Diffusion. */
  readonly factor: number
  /** Channels of the latents: 4 for Stable Diffusion. */
  readonly channels: number
  /** Sides of an image must be multiples of this many pixels; others are padded and cropped back. */
  readonly multiple: number
  /** The image size that the model was trained on, `[height, width]` in pixels. */
  readonly size: readonly [number, number]
}

/**
 * What inverters and editors need of a latent diffusion model; `loadStableDiffusion` returns one.
 * Any object with these members will do.
 */
export interface LatentDiffusion {
  /** The network. */
  readonly denoise: Denoiser
  /** The tokenizer of {@link LatentDiffusion.encodePrompts}. */
  readonly tokenizer: Tokenizer
  /** Sizes; Stable Diffusion 1.x's (factor 8, 4 channels, multiple 8, 512 × 512) where it is left out. */
  readonly geometry?: LatentGeometry
  /** Prompts to embeddings `[prompts, tokens, width]`, owned by the caller. */
  encodePrompts(prompts: readonly string[]): Tensor3D
  /** Images `[batch, height, width, 3]` in [0, 1] to scaled latents (the posterior's mean), owned by the caller. */
  encodeImage(image: Tensor4D): Tensor4D
  /** Scaled latents to images `[batch, height, width, 3]` in [0, 1], owned by the caller. */
  decodeLatents(latents: Tensor4D): Tensor4D
}
