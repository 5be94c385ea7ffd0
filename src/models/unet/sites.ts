import type * as tf from '@tensorflow/tfjs'
import type { AttentionControl, AttentionSite } from '../../core/index.js'
import type { BlockControl } from '../../nn/index.js'

/** Which block of the U is running. */
export type Place = { readonly arm: 'down' | 'up'; readonly level: number } | { readonly arm: 'mid' }

/** Names the attention maps of one call of the network as they come by. */
export interface AttentionSites {
  /** The control of the transformer after residual block `index`; empty where there is no control. */
  at(place: Place, index: number, shape: readonly number[]): BlockControl
  /** Attention maps so far, shown or not. */
  visited(): number
}

/**
 * Wraps a control so that each layer hands it its maps with the right {@link AttentionSite}.
 *
 * @param timestep - of this call
 * @param attention - the caller's control, if any
 */
export function attentionSites(
  timestep: number | readonly number[],
  attention: AttentionControl | undefined,
): AttentionSites {
  let layer = 0
  const at = (place: Place, index: number, [, height, width]: readonly number[]): BlockControl => {
    if (!attention) return {}
    const block = place.arm === 'mid' ? 'mid_block' : `${place.arm}_blocks.${place.level}`
    const site = (kind: AttentionSite['kind'], module: string): AttentionSite => ({
      kind,
      place: place.arm,
      name: `${block}.attentions.${index}.transformer_blocks.0.${module}`,
      layer: layer++,
      height: height!,
      width: width!,
      timestep,
    })
    const shown = (where: AttentionSite) =>
      (attention.wants?.(where) ?? true)
        ? (probabilities: tf.Tensor4D) => attention(probabilities, where)
        : undefined
    return { self: shown(site('self', 'attn1')), cross: shown(site('cross', 'attn2')) }
  }
  return { at, visited: () => layer }
}
