import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ArgumentError, type AttentionSite } from '../core/index.js'

/** Height and width of a feature map. */
export type Resolution = readonly [height: number, width: number]

/**
 * Where some words of each prompt look, summed over layers, heads and steps: what local blending is made of.
 * Owns its sums; they survive the tidy of the network that is being watched.
 */
export class WordMaps {
  readonly #words: readonly Float32Array[]
  readonly #sums = new Map<string, { readonly resolution: Resolution; sum: Tensor3D }>()

  /** Takes one vector per prompt: 1 at the tokens of its chosen words, 0 elsewhere. */
  constructor(words: readonly Float32Array[]) {
    this.#words = words
  }

  /**
   * Adds the maps of one site; self-attention is ignored.
   *
   * @param maps - probabilities `[heads, queries, tokens]`, one per prompt; borrowed
   * @param site - where they were computed
   */
  add(maps: readonly Tensor3D[], site: AttentionSite): void {
    if (site.kind === 'self') return
    const resolution: Resolution = [site.height, site.width]
    const key = resolution.join('x')
    const previous = this.#sums.get(key)?.sum
    const sum = tf.tidy(() => {
      const here = tf.stack(maps.map((map, prompt) => this.#attended(map, prompt, resolution))) as Tensor3D
      return tf.keep(previous ? previous.add<Tensor3D>(here) : here)
    })
    previous?.dispose()
    this.#sums.set(key, { resolution, sum })
  }

  /** The resolutions seen so far. */
  get resolutions(): readonly Resolution[] {
    return [...this.#sums.values()].map(({ resolution }) => resolution)
  }

  /**
   * The sum at the seen resolution that is nearest in area to the wanted one (the finer of two equally near).
   *
   * @param wanted - the resolution to look for
   * @returns `[prompts, height, width]`, still owned by this object
   * @throws ArgumentError when nothing was seen
   */
  nearest(wanted: Resolution): Tensor3D {
    const distance = ([height, width]: Resolution) =>
      Math.abs(Math.log((height * width) / (wanted[0] * wanted[1])))
    const [best] = [...this.#sums.values()].sort(
      (a, b) => distance(a.resolution) - distance(b.resolution) || b.resolution[0] - a.resolution[0],
    )
    if (best) return best.sum
    throw new ArgumentError({
      rule: 'WordMaps.nearest needs at least one cross-attention map',
      got: 'none',
      mend: 'Add the maps of a step first.',
    })
  }

  /** Frees the sums. Idempotent. */
  dispose(): void {
    for (const { sum } of this.#sums.values()) sum.dispose()
    this.#sums.clear()
  }

  /** As `dispose()`, for `using`. */
  /** The same as {@link WordMaps.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #attended(map: Tensor3D, prompt: number, [height, width]: Resolution): Tensor2D {
    const [heads, queries, tokens] = map.shape
    const words = tf.tensor2d(this.#words[prompt]!, [tokens, 1])
    const perHead = map.reshape<Tensor2D>([heads * queries, tokens]).matMul(words)
    return perHead.reshape([heads, height, width]).mean<Tensor2D>(0)
  }
}
