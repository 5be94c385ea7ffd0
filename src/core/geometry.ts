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
