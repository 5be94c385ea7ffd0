import type { Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { Denoiser } from './diffusion.js'
import type { Owned } from './scope.js'

/** Where a row of a context comes from. */
export interface ContextOrigin {
  /** The tensor that held it first. */
  readonly source: Tensor3D
  /** Its row there. */
  readonly row: number
}

/*
 * Loops put contexts together row by row at every step, and the rows are the same. What is made here knows where its rows come
 * from, so that a network can tell.
 */
const origins = new WeakMap<Tensor3D, readonly ContextOrigin[]>()

/** Where the rows of a context come from: what {@link contextRows} and {@link joinContexts} made it of, or itself. */
export const contextOrigins = (context: Tensor3D): readonly ContextOrigin[] =>
  origins.get(context) ?? Array.from({ length: context.shape[0] }, (_, row) => ({ source: context, row }))

/**
 * Some rows of a context.
 *
 * @param context - `[rows, tokens, width]`, borrowed
 * @returns `[count, tokens, width]`, owned by the caller
 */
export function contextRows(context: Tensor3D, first: number, count: number): Tensor3D {
  const rows = tf.slice(context, [first, 0, 0], [count, -1, -1])
  origins.set(rows, contextOrigins(context).slice(first, first + count))
  return rows
}

/**
 * The rows of contexts, one after the other; the same may come more than once.
 *
 * @param parts - `[rows, tokens, width]` each, borrowed
 * @returns all rows, owned by the caller
 */
export function joinContexts(parts: readonly Tensor3D[]): Tensor3D {
  const whole = parts.length === 1 ? tf.clone(parts[0]!) : tf.concat([...parts])
  origins.set(whole, parts.flatMap(contextOrigins))
  return whole
}

/**
 * Has a network compute what depends on a context alone, the keys and values of its prompts, once and not at every call.
 *
 * @param denoise - networks that cannot are left alone
 * @param context - `[rows, tokens, width]`, borrowed; its rows are known again in what {@link contextRows} and
 * {@link joinContexts} make of it
 * @returns what frees it
 */
export const prepareContext = (denoise: Denoiser, context: Tensor3D): Owned =>
  denoise.prepare?.(context) ?? { dispose: () => {} }
