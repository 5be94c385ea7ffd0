import type { Tensor4D } from '@tensorflow/tfjs'
import type { LatentDiffusion, RunOptions } from '../../core/index.js'
import type { ReadImageOptions } from '../../image/index.js'
import type { EditSettings } from '../edit/options.js'
import type { Embedder } from '../gates/embedder.js'
import type { Gate } from '../gates/gate.js'
import type { Perturber } from '../perturbation.js'
import type { Prediction } from './records.js'

/** A picture of the folder, as a captioner receives it. */
export interface FolderPicture {
  /** The file's name. */
  readonly name: string
  /** The file's path. */
  readonly path: string
  /** `[1, height, width, 3]` in [0, 1], resized for the model; borrowed. */
  readonly image: Tensor4D
}

/**
 * The model whose behaviour is asked about.
 *
 * @param images - `[n, height, width, 3]` in [0, 1]; borrowed
 * @returns a probability per label, for each picture
 */
export type ModelUnderTest = (images: Tensor4D) => readonly Prediction[] | Promise<readonly Prediction[]>

/** What {@link runLance} needs. Functions have no identity of their own, so `names` gives them one for the record. */
export interface LanceRunOptions extends RunOptions {
  /** Edits the pictures; borrowed. */
  readonly model: LatentDiffusion
  /** A folder of pictures (PNG, JPEG, WebP, TIFF); its sub-folders are not looked at. */
  readonly images: string
  /** Where results go: a new or empty folder, or that of the same run, which is then resumed. */
  readonly out: string
  /** Describes a picture; any captioner of this room will do. */
  readonly caption: (picture: FolderPicture, run?: RunOptions) => string | Promise<string>
  /** Changes its description. */
  readonly perturb: Perturber
  /** Judges pictures and captions. */
  readonly embedder: Embedder
  /** What an edit must pass. */
  readonly gates: readonly Gate[]
  /** The model whose sensitivity is measured; nothing is predicted without one. */
  readonly underTest?: ModelUnderTest
  /** How to edit. */
  readonly edit: EditSettings
  /** How pictures are read; by default stretched to the model's own size. */
  readonly read?: ReadImageOptions
  /**
   * What tells this run from another: names of the model, captioner, perturber, embedder and model under test, with
   * whatever of their settings changes results (a seed, a file's hash).
   */
  readonly names: {
    /** Of the model that edits. */
    readonly model: string
    /** Of what describes pictures. */
    readonly caption: string
    /** Of what changes captions. */
    readonly perturb: string
    /** Of what judges. */
    readonly embedder: string
    /** Of what is asked about. */
    readonly underTest?: string
  }
  /** The title of the page. */
  readonly title?: string
}
