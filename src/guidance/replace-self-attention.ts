import type { AttentionSite } from '../core/index.js'
import type { AttentionRule } from './attention-rule.js'

/**
 * Self-attention injection: the edited image takes over the source's self-attention, and with it the layout,
 * wherever the feature map is coarse enough.
 *
 * @param maxResolution - the longest side, in latent pixels of the feature map, that is still replaced
 * @returns a rule for self-attention
 * @see the published code of Hertz et al. 2022, which replaces maps of at most 32 × 32 queries for latents
 * of 64 × 64.
 */
export function replaceSelfAttention(maxResolution: number): AttentionRule {
  const coarse = ({ height, width }: AttentionSite) => Math.max(height, width) <= maxResolution
  return (source, target, site) => (site.kind === 'self' && coarse(site) ? source : target)
}

/**
 * The `maxResolution` at which {@link replaceSelfAttention} behaves as published, for latents of any size:
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
