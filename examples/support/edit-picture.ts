import type { Tensor4D } from '@tensorflow/tfjs'
import type { RunOptions } from 'contrafact/core'
import { type EditedImage, promptToPromptMany, refine } from 'contrafact/editing'
import { disposeInversion, nullText, pivotPinned, reconstruct } from 'contrafact/inversion'
import * as metrics from 'contrafact/metrics'
import type { StableDiffusion } from 'contrafact/models'
import { type InvertibleScheduler, isInvertible, schedulerFromConfig } from 'contrafact/schedulers'

/**
 * How the demo edits; the table of the README is made with these.
 *
 * The layout is held by where the edit starts (the pivot after 40 % of the steps) and by the source's
 * self-attention up to 80 %. Cross-attention is the edit's own: to take the source's over words that stay pulls
 * the heart along with the devices (see "What the demo's settings do" in the README).
 */
export const defaults = {
  steps: 50,
  guidance: 4,
  crossReplace: 0,
  selfReplace: 0.8,
  skip: 0.4,
  inversionPrompt: '',
  method: 'pivot-pinned',
} as const

/**
 * What null-text takes instead. It starts at the noisiest step, where nothing but the source's attention holds the
 * layout: the published windows.
 */
export const nullTextDefaults = { ...defaults, crossReplace: 0.8, skip: 0, method: 'null-text' } as const

/** Settings of one picture's edits. */
export interface EditSettings {
  readonly steps: number
  readonly guidance: number
  readonly crossReplace: number
  readonly selfReplace: number
  readonly skip: number
  readonly inversionPrompt: string
  readonly method: 'pivot-pinned' | 'null-text'
}

/** A picture's faithful replay and its edits. The tensors belong to the caller. */
export interface EditedPicture {
  readonly reconstruction: Tensor4D
  readonly edits: readonly EditedImage[]
  /** Batch rows that the network evaluated: for the inversion, for all edits, and what one edit alone would take. */
  readonly evaluations: { readonly inversion: number; readonly edits: number; readonly oneEdit: number }
}

/**
 * Inverts a picture under its prompt and edits it to each target: all that the demo does beside files and page.
 *
 * @param image - `[1, height, width, 3]` in [0, 1], borrowed
 */
export async function editPicture(
  sd: StableDiffusion,
  image: Tensor4D,
  source: string,
  targets: readonly string[],
  settings: EditSettings,
  run: RunOptions = {},
): Promise<EditedPicture> {
  const { steps, guidance, crossReplace, selfReplace, skip, method, inversionPrompt } = settings
  const scheduler = ddimOf(sd, steps)
  const invert = method === 'null-text' ? nullText : pivotPinned
  const how = method === 'null-text' ? { guidance } : { inversionPrompt }
  const path = await invert(sd, image, { prompt: source, scheduler, ...how, ...run })
  try {
    const reconstruction = await reconstruct(sd, path)
    const control = refine({ crossReplace, selfReplace })
    const { edits, evaluations } = await promptToPromptMany(sd, path, {
      edits: targets.map((prompt) => ({ prompt, control })),
      guidance,
      skip,
      ...run,
    })
    const edited = steps - Math.floor(skip * steps)
    const shared = evaluations - edited * 2 * targets.length
    return {
      reconstruction,
      edits,
      evaluations: {
        inversion: path.evaluations,
        edits: evaluations,
        oneEdit: path.evaluations + shared + 2 * edited,
      },
    }
  } finally {
    disposeInversion(path)
  }
}

/** DDIM on the model's own noise schedule, whichever sampler its folder names. */
export function ddimOf(sd: StableDiffusion, steps: number): InvertibleScheduler {
  const { scheduler } = schedulerFromConfig(sd.configs.scheduler, { steps, method: 'ddim' })
  if (!isInvertible(scheduler)) throw new Error(`the model's scheduler config makes DDIM irreversible`)
  return scheduler
}

/** Peak signal-to-noise ratio of two pictures in [0, 1], in dB. */
export const psnr = async (a: Tensor4D, b: Tensor4D): Promise<number> => (await metrics.psnr()(a, b)).value

/** Mean absolute difference of two pictures in [0, 1]. */
export const l1 = async (a: Tensor4D, b: Tensor4D): Promise<number> => (await metrics.l1()(a, b)).value
