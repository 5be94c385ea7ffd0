import type { LatentDiffusion, LatentGeometry } from './diffusion.js'

const stableDiffusion1: LatentGeometry = { factor: 8, channels: 4, multiple: 8, size: [512, 512] }

/**
 * The sizes of a model: its own, or Stable Diffusion 1.x's where it tells none.
 *
 * @param model - any latent diffusion model
 */
export function geometryOf(model: LatentDiffusion): LatentGeometry {
  return model.geometry ?? stableDiffusion1
}

/**
 * The longest side of maps whose self-attention an edit replaces (`replaceSelfAttention`), as published, for latents of any size:
 * half of the longer side, but at least 16.
 *
 * 64 gives the published 32. The floor keeps the rule effective in small models, where half of the latent may
 * be coarser than any self-attention they have; 16 × 16 is the bound of the first published version.
 *
 * @param latentSize - `[height, width]` of the latents
 */
export function defaultSelfResolution([height, width]: readonly [number, number]): number {
  return Math.max(16, Math.ceil(Math.max(height, width) / 2))
}
