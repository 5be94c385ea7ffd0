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
