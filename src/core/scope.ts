import type { Tensor } from '@tensorflow/tfjs'

/** What somebody must free: a tensor, or what holds some. */
export interface Owned {
  /** Frees it. Idempotent. */
  dispose(): void
}

/**
 * Owns tensors across `await`, where `tf.tidy` cannot reach and `tf.engine().startScope()` is unsafe
 * (scopes are one global stack, so two interleaved tasks free each other's tensors).
 *
 * ```ts
 * const scope = new Scope()
 * try {
 *   const x = scope.own(tf.zeros([4]))
 *   await somethingSlow()
 *   return scope.release(x) // the caller's now
 * } finally {
 *   scope.dispose() // frees whatever was not released
 * }
 * ```
 */
export class Scope {
  readonly #owned = new Set<Owned>()

  /** Takes ownership of a tensor, or of anything else that is disposed of, and returns it. */
  own<T extends Owned>(tensor: T): T {
    this.#owned.add(tensor)
    return tensor
  }

  /** Gives a tensor up to the caller: the scope will not free it. */
  release<T extends Tensor>(tensor: T): T {
    this.#owned.delete(tensor)
    return tensor
  }

  /** Frees a tensor now rather than at the end. */
  free(tensor: Tensor): void {
    this.#owned.delete(tensor)
    tensor.dispose()
  }

  /** Owns `next` and frees `previous`: the step of a loop that carries one tensor. */
  replace<T extends Tensor>(previous: Tensor, next: T): T {
    if (previous !== next) this.free(previous)
    return this.own(next)
  }

  /** Frees everything still owned. Idempotent. */
  dispose(): void {
    for (const tensor of this.#owned) tensor.dispose()
    this.#owned.clear()
  }

  /** As {@link Scope.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}
