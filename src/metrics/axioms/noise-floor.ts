import type { Tensor4D } from '@tensorflow/tfjs'
import type { RunOptions } from '../../core/index.js'
import type { AxiomResult, Distance, Edit } from './distance.js'
import { repeat } from './repeat.js'

/** What a change of pictures costs when none was asked for, one entry per way of asking. */
export interface RoundTrips {
  /** Encoder and decoder alone. */
  readonly vae?: Edit
  /** Inversion and replay. */
  readonly reconstruction?: Edit
  /** An edit to the caption that the pictures have. */
  readonly nullEdit?: Edit
  /** Others: a paraphrase, a file format. */
  readonly [name: string]: Edit | undefined
}

/**
 * The noise floor: how far pictures move along each way that should leave them where they are. An effect below it
 * is none, and it stands beside every axiom.
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param roundTrips - each is applied once to the pictures; results are freed here
 * @param options - the distance, signal and progress
 * @returns one result per way, in the order given
 * @throws ArgumentError, ShapeError and AbortError as `composition`
 */
export async function noiseFloor(
  images: Tensor4D,
  roundTrips: RoundTrips,
  options: RunOptions & { readonly distance: Distance },
): Promise<AxiomResult[]> {
  const results: AxiomResult[] = []
  for (const [name, edit] of Object.entries(roundTrips)) {
    if (!edit) continue
    results.push(...(await repeat(`noise floor: ${name}`, images, [edit], { ...options, times: [1] })))
  }
  return results
}
