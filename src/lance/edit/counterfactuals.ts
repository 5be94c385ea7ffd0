import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError, type LatentDiffusion } from '../../core/index.js'
import type { Perturbation } from '../perturbation.js'
import { type Counterfactual, editTogether } from './edit-together.js'
import { type CounterfactualOptions, resolveSettings } from './options.js'
import { whyUnchanged } from './skip.js'
import { closePicture, openPicture } from './source-picture.js'

/** An edit that was not made, because it would change nothing. */
export interface SkippedEdit {
  /** The captions. */
  readonly perturbation: Perturbation
  /** Why the text encoder sees no difference. */
  readonly reason: string
}

/** What {@link counterfactuals} returns. The tensors belong to the caller. */
export interface Counterfactuals {
  /** The faithful replay that edits are compared with, `[1, height, width, 3]`. */
  readonly reconstruction: Tensor4D
  /** Every edit that was made, kept by the gates or not, in the order of the perturbations. */
  readonly edits: readonly Counterfactual[]
  /** Those that were not made. */
  readonly skipped: readonly SkippedEdit[]
  /** The end of the caption that the text encoder could not take; empty when everything fitted. */
  readonly truncated: string
  /** Batch rows that the network evaluated. */
  readonly evaluations: {
    /** To invert the picture. */
    readonly inversion: number
    /** For all its edits, the source's rows included. */
    readonly edits: number
  }
}

/**
 * LANCE's loop over one picture: invert it once; for every changed caption edit it at every self-replace value, judge
 * each try by the gates, and keep the best that passes.
 *
 * Cost at 50 steps: 50 to invert, 50 for the source's attention, and 100 for every edit and self-replace value.
 *
 * ```ts
 * const { edits } = await counterfactuals(sd, image, perturbations, {
 *   scheduler: ddim({ steps: 50 }), embedder, gates: gatePresets['lance-2023'],
 * })
 * const kept = edits.filter(({ passed }) => passed)
 * ```
 *
 * @param model - borrowed
 * @param image - `[1, height, width, 3]` in [0, 1], of any size; borrowed
 * @param perturbations - changed captions of one source caption, at least one
 * @param options - scheduler, embedder, gates, and how to edit
 * @throws ArgumentError when the perturbations have no source, or several
 * @throws AttentionError when the network shows no attention map to control: the edit would be plain guidance
 * @throws AbortError when `signal` is aborted
 * @see Prabhu et al. 2023, "LANCE: Stress-testing Visual Models by Generating Language-guided Counterfactual Images"
 */
export async function counterfactuals(
  model: LatentDiffusion,
  image: Tensor4D,
  perturbations: readonly Perturbation[],
  options: CounterfactualOptions,
): Promise<Counterfactuals> {
  resolveSettings(options)
  const caption = expectOneSource(perturbations)
  const picture = await openPicture(model, image, caption, options)
  try {
    const skipped: SkippedEdit[] = []
    const wanted: Perturbation[] = []
    for (const perturbation of perturbations) {
      const reason = whyUnchanged(model.tokenizer, perturbation)
      if (reason === undefined) wanted.push(perturbation)
      else skipped.push({ perturbation, reason })
    }
    const { edits, evaluations } =
      wanted.length > 0 ? await editTogether(model, picture, wanted, options) : { edits: [], evaluations: 0 }
    return {
      reconstruction: picture.reconstruction.clone(),
      ...{ edits, skipped },
      truncated: picture.path.truncated,
      evaluations: { inversion: picture.path.evaluations, edits: evaluations },
    }
  } finally {
    closePicture(picture)
  }
}

function expectOneSource(perturbations: readonly Perturbation[]): string {
  const sources = new Set(perturbations.map(({ source }) => source))
  const [caption] = sources
  if (sources.size === 1) return caption!
  throw new ArgumentError({
    rule: 'counterfactuals needs perturbations of one caption, that of the picture',
    got: `${sources.size} source captions`,
    mend: 'Perturb the picture’s caption, and call once per picture.',
  })
}
