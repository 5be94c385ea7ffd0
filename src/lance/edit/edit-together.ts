import type { Tensor4D } from '@tensorflow/tfjs'
import { type LatentDiffusion, Scope } from '../../core/index.js'
import { type PromptEditRequest, promptToPromptMany, refine, replace } from '../../editing/index.js'
import { gatherEvidence, type Similarities } from '../gates/evidence.js'
import { judge, type Verdict } from '../gates/gate.js'
import type { Perturbation } from '../perturbation.js'
import { bestPassing } from './best.js'
import { emphasisedWords, regionWords } from './emphasis.js'
import { type CounterfactualOptions, type ResolvedSettings, resolveSettings } from './options.js'
import { rowsWithinBudget } from './rows.js'
import type { SourcePicture } from './source-picture.js'

/** One try at an edit, without its picture. */
export interface Try {
  /** The fraction of steps whose self-attention came from the source. */
  readonly selfReplace: number
  /** Whether every gate let it pass. */
  readonly passed: boolean
  /** One per gate. */
  readonly verdicts: readonly Verdict[]
  /** What was measured, whether a gate asked for it or not. */
  readonly similarities: Similarities
  /** See {@link Similarities.directional}. */
  readonly directional: number | null
}

/** One edit of a picture: its best try, and what became of the others. */
export interface Counterfactual extends Try {
  /** The captions. */
  readonly perturbation: Perturbation
  /** `[1, height, width, 3]` in [0, 1]; owned by the caller. */
  readonly image: Tensor4D
  /** The latents it was decoded from; owned by the caller. */
  readonly latents: Tensor4D
  /** The end of the target caption that the text encoder could not take; empty when everything fitted. */
  readonly truncated: string
  /** How the captions were aligned. */
  readonly control: 'refine' | 'replace'
  /** The words that were strengthened. */
  readonly emphasised: readonly string[]
  /** Every try of the sweep, in its order. */
  readonly tries: readonly Try[]
}

/** What {@link editTogether} returns. */
export interface EditedTogether {
  /** In the order of the perturbations; the tensors belong to the caller. */
  readonly edits: readonly Counterfactual[]
  /** Batch rows that the network evaluated. */
  readonly evaluations: number
}

/**
 * Edits one picture to several captions, which share its source, judges every try, and keeps the best.
 *
 * Cost at 50 steps: 50 for the source and 100 for every perturbation and every self-replace value. What does not fit
 * one call of the network is spread over several, which share the source's attention.
 *
 * @param model - borrowed
 * @param source - from `openPicture`; borrowed
 * @param perturbations - whose source is the picture's caption, at least one
 * @param options - as of `counterfactuals`
 */
export async function editTogether(
  model: LatentDiffusion,
  source: SourcePicture,
  perturbations: readonly Perturbation[],
  options: CounterfactualOptions,
): Promise<EditedTogether> {
  const settings = resolveSettings(options)
  const { embedder, gates = [], signal, onProgress } = options
  const sweep = settings.selfReplace
  const plans = perturbations.map((perturbation) => planEdit(model, perturbation, settings))
  const requests = plans.flatMap(({ requestOf }) => sweep.map(requestOf))
  const scope = new Scope()
  try {
    const [, height, width] = source.path.clean.shape
    const { edits: pictures, evaluations } = await promptToPromptMany(model, source.path, {
      edits: requests,
      guidance: settings.guidance,
      skip: settings.skip,
      rows: settings.rows ?? rowsWithinBudget([height, width]),
      ...{ signal, onProgress },
    })
    for (const { image, latents } of pictures) for (const tensor of [image, latents]) scope.own(tensor)

    const edits: Counterfactual[] = []
    for (const [i, perturbation] of perturbations.entries()) {
      const tries = []
      for (const [j, selfReplace] of sweep.entries()) {
        const picture = pictures[i * sweep.length + j]!
        const evidence = await gatherEvidence(embedder, source.evidence, picture.image, perturbation)
        const verdicts = await judge(gates, evidence)
        const passed = verdicts.every((verdict) => verdict.passed)
        const { imageImage, sourceText, targetText, directional, newWords, oldWords } = evidence
        const similarities = { imageImage, sourceText, targetText, directional, newWords, oldWords }
        tries.push({
          tried: { selfReplace, passed, verdicts, similarities, directional },
          picture: { image: picture.image, latents: picture.latents, truncated: picture.truncated },
          passed,
          directional,
        })
      }
      const { tried, picture } = bestPassing(tries)
      const { control, emphasised } = plans[i]!
      edits.push({
        ...tried,
        ...picture,
        perturbation,
        control,
        emphasised,
        tries: tries.map((one) => one.tried),
      })
    }
    for (const { image, latents } of edits) for (const tensor of [image, latents]) scope.release(tensor)
    return { edits, evaluations }
  } finally {
    scope.dispose()
  }
}

function planEdit(model: LatentDiffusion, perturbation: Perturbation, settings: ResolvedSettings) {
  const { crossReplace, editWeight, localBlend } = settings
  const { source, target } = perturbation
  const emphasised = emphasisedWords(model.tokenizer, perturbation)
  const reweight = Object.fromEntries(emphasised.map((word) => [word, editWeight]))
  const region = localBlend && regionWords(model.tokenizer, perturbation)
  const blends = region && region.source.length + region.target.length > 0
  const count = (caption: string) => caption.trim().split(/\s+/).length
  const control = settings.control === 'replace' && count(source) === count(target) ? 'replace' : 'refine'
  const requestOf = (selfReplace: number): PromptEditRequest => ({
    prompt: target,
    control: (control === 'replace' ? replace : refine)({
      crossReplace,
      selfReplace,
      ...(emphasised.length > 0 && editWeight !== 1 && { reweight }),
      ...(blends && { localBlend: { ...(localBlend === true ? {} : localBlend), ...region } }),
    }),
  })
  return { control, emphasised, requestOf } as const
}
