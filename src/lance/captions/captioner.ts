import type { Tensor4D } from '@tensorflow/tfjs'
import type { RunOptions } from '../../core/index.js'

/** A picture that wants a caption. */
export interface NamedPicture {
  /** Its name, e.g. of its file: what a table looks it up by. */
  readonly name: string
  /** `[1, height, width, 1 or 3]` in [0, 1]; borrowed. */
  readonly image: Tensor4D
}

/**
 * Describes a picture. Any function will do; one that takes long heeds the run options.
 *
 * @param picture - borrowed
 * @param run - signal
 */
export type Captioner = (picture: NamedPicture, run?: RunOptions) => string | Promise<string>
