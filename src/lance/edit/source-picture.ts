import type { Tensor4D } from '@tensorflow/tfjs'
import { type LatentDiffusion, Scope } from '../../core/index.js'
import {
  disposeInversion,
  type Inversion,
  nullText,
  pivotPinned,
  reconstruct,
} from '../../inversion/index.js'
import { type SourceEvidence, sourceEvidence } from '../gates/evidence.js'
import { type CounterfactualOptions, resolveSettings } from './options.js'

/** A picture ready to be edited: its path, its faithful replay, and what gates know of it. */
export interface SourcePicture {
  /** `[1, height, width, 3]` in [0, 1]; the caller's own, borrowed. */
  readonly original: Tensor4D
  /** The path that all edits share. */
  readonly path: Inversion
  /** What edits are compared with, `[1, height, width, 3]`. */
  readonly reconstruction: Tensor4D
  /** Measured once for all edits. */
  readonly evidence: SourceEvidence
}

/**
 * Inverts a picture under its caption, replays it and measures the replay: everything that all edits of it share.
 *
 * Cost: 50 evaluations of the network at 50 steps; the replay of a pivot-pinned path needs none.
 *
 * @param model - borrowed
 * @param original - `[1, height, width, 3]` in [0, 1]; borrowed, and used for as long as the result
 * @param caption - describes it
 * @param options - as of `counterfactuals`
 * @returns owned by the caller: end it with {@link closePicture}
 */
export async function openPicture(
  model: LatentDiffusion,
  original: Tensor4D,
  caption: string,
  options: CounterfactualOptions,
): Promise<SourcePicture> {
  const { scheduler, inversion, guidance, inversionPrompt } = resolveSettings(options)
  const shared = { prompt: caption, scheduler, signal: options.signal, onProgress: options.onProgress }
  const path = await (inversion === 'null-text'
    ? nullText(model, original, { ...shared, guidance })
    : pivotPinned(model, original, { ...shared, ...(inversionPrompt !== undefined && { inversionPrompt }) }))
  return replayPicture(model, original, path, options)
}

/**
 * As {@link openPicture}, for a path that exists already, e.g. read from a file.
 *
 * @param path - taken over: freed by {@link closePicture}, and when this throws
 */
export async function replayPicture(
  model: LatentDiffusion,
  original: Tensor4D,
  path: Inversion,
  { embedder, signal, onProgress }: CounterfactualOptions,
): Promise<SourcePicture> {
  const scope = new Scope()
  try {
    const reconstruction = scope.own(await reconstruct(model, path, { signal, onProgress }))
    const evidence = await sourceEvidence(embedder, original, reconstruction)
    return { original, path, reconstruction: scope.release(reconstruction), evidence }
  } catch (error) {
    disposeInversion(path)
    throw error
  } finally {
    scope.dispose()
  }
}

/** Frees the path and the reconstruction of a picture. Idempotent. */
export function closePicture({ path, reconstruction }: SourcePicture): void {
  disposeInversion(path)
  reconstruction.dispose()
}
