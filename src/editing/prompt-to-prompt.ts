import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  ArgumentError,
  breathe,
  contextRows,
  cropEdges,
  expectNumber,
  joinContexts,
  type LatentDiffusion,
  prepareContext,
  Scope,
  throwIfAborted,
} from '../core/index.js'
import { type GuidedRows, guidedBatch } from '../guidance/index.js'
import { expectInversion, type Inversion, type InversionStep } from '../inversion/index.js'
import { applyBlend } from './blend-region.js'
import { controlOfStep, type EditBranch, endBranch, type RowRange, startBranch } from './edit-branch.js'
import { refine } from './prompt-control.js'
import type {
  EditedImage,
  PromptEdit,
  PromptEdits,
  PromptToPromptManyOptions,
  PromptToPromptOptions,
} from './prompt-edit.js'

/**
 * Edits an inverted image by changing its prompt, while attention keeps to the source's: the layout stays,
 * what the words say changes.
 *
 * Source and edit are denoised in one batch. The source follows the inversion; within the control's windows
 * the edit's attention maps are rewritten from the source's.
 *
 * Cost per step: 3 evaluations for a pivot-pinned inversion (50 steps: 150, and 50 to invert), 4 for null-text,
 * whose source is guided too.
 *
 * A null edit (the source's own prompt) repeats the source exactly where both branches are guided alike: after
 * `nullText` at its guidance, `negativePrompt` at any, `ddimInversion` at 1. After `pivotPinned` the published
 * method lets the edit drift by what guidance adds; `pin: 'both'` with the source prompt as `negativePrompt`
 * makes that null edit exact as well.
 *
 * ```ts
 * const { image } = await promptToPrompt(model, path, {
 *   prompt: 'chest x-ray with no line',
 *   control: refine({ crossReplace: 0.8, selfReplace: 0.4 }),
 * })
 * ```
 *
 * @param model - borrowed
 * @param inversion - made by any inverter, with the same model; borrowed
 * @param options - the new prompt, its control, guidance
 * @throws ArgumentError when a word of the control is not in its prompt, or a number is out of range
 * @throws AttentionError when the control matches no attention map
 * @throws AbortError when `signal` is aborted
 * @see Hertz et al. 2022, "Prompt-to-Prompt Image Editing with Cross Attention Control"; pinning after Ju et
 * al. 2024.
 */
export async function promptToPrompt(
  model: LatentDiffusion,
  inversion: Inversion,
  options: PromptToPromptOptions,
): Promise<PromptEdit> {
  const { prompt, control, ...shared } = options
  const edits = [{ prompt, ...(control && { control }) }]
  const { edits: edited, evaluations } = await promptToPromptMany(model, inversion, { ...shared, edits })
  return { ...edited[0]!, evaluations }
}

/**
 * Several edits of one image in one run: they share the source's row, so k edits cost 1 + 2k evaluations per
 * step of a pivot-pinned inversion instead of 3k. Each result equals that of {@link promptToPrompt} alone.
 *
 * @param model - borrowed
 * @param inversion - made by any inverter, with the same model; borrowed
 * @param options - the edits, guidance
 * @throws as {@link promptToPrompt}
 */
export async function promptToPromptMany(
  model: LatentDiffusion,
  inversion: Inversion,
  options: PromptToPromptManyOptions,
): Promise<PromptEdits> {
  const { edits, pin = 'source', negativePrompt, skip = 0, rows = Number.POSITIVE_INFINITY } = options
  const { scheduler, clean, prompt: source } = inversion
  const guidance = options.guidance ?? (inversion.guidance > 1 ? inversion.guidance : 7.5)
  expectEditing(inversion, edits.length, guidance, pin, skip)
  if (rows !== Number.POSITIVE_INFINITY)
    expectNumber(rows, { min: 2, integer: true }, 'promptToPromptMany', 'rows')
  throwIfAborted(options.signal, 'edit')
  const total = scheduler.timesteps.length
  const latentSize = [clean.shape[1], clean.shape[2]] as const
  const scope = new Scope()
  const branches: EditBranch[] = []
  try {
    for (const { prompt, control = refine() } of edits) {
      const setting = { tokenizer: model.tokenizer, source, target: prompt, steps: total, latentSize }
      branches.push(startBranch(control, setting))
    }
    const conditional = scope.own(model.encodePrompts([source, ...edits.map(({ prompt }) => prompt)]))
    const fallback = scope.own(model.encodePrompts(['', negativePrompt ?? '']))
    for (const context of [conditional, fallback]) scope.own(prepareContext(model.denoise, context))
    const first = Math.floor(skip * total)
    const start = first === 0 ? inversion.start : inversion.steps[first - 1]!.pivot!
    let x = scope.own(start.tile<Tensor4D>([1 + edits.length, 1, 1, 1]))
    let evaluations = 0

    for (const [index, timestep] of scheduler.timesteps.entries()) {
      if (index < first) continue
      const step = inversion.steps[index]!
      // A pinned source is evaluated for its attention only.
      const scales = [step.pivot ? 1 : inversion.guidance, ...edits.map(() => guidance)]
      const control = controlOfStep(branches, index)
      try {
        const next = tf.tidy(() => {
          const unconditional = unconditionalRows(step, fallback, negativePrompt !== undefined, edits.length)
          const guided = rowRanges(scales, rows).map((range) =>
            guidedBatch(model.denoise, {
              ...rowsOf({ x, conditional, unconditional }, range),
              ...{ timestep, scales: scales.slice(range.from, range.to) },
              attention: control.attentionOf(range),
            }),
          )
          control.verify()
          for (const call of guided) evaluations += call.evaluations
          const output = tf.concat(guided.map((call) => call.output))
          const stepped = scheduler.step({ x, output, index }).x
          return blendBranches(branches, index, step.pivot ? pinTo(step.pivot, stepped, pin) : stepped)
        })
        x = scope.replace(x, next)
      } finally {
        control.end()
      }
      options.onProgress?.({ stage: 'edit', done: index + 1, total })
      await breathe(options, 'edit')
    }

    const finished: EditedImage[] = []
    for (const [edit, { prompt }] of edits.entries()) {
      const latents = scope.own(x.slice(1 + edit, 1))
      const image = scope.own(tf.tidy(() => cropEdges(model.decodeLatents(latents), inversion.size)))
      const { truncated } = model.tokenizer.encode(prompt)
      finished.push({ image, latents, prompt, truncated, rewritten: branches[edit]!.rewritten })
    }
    for (const { image, latents } of finished) [image, latents].map((tensor) => scope.release(tensor))
    return { edits: finished, evaluations }
  } finally {
    for (const branch of branches) endBranch(branch)
    scope.dispose()
  }
}

// The rows of each call of the network, in order and none too many: a row that is guided counts twice.
function rowRanges(scales: readonly number[], most: number): RowRange[] {
  const ranges: { from: number; to: number }[] = []
  let room = 0
  for (const [row, scale] of scales.entries()) {
    const cost = scale === 1 ? 1 : 2
    if (cost > room) {
      ranges.push({ from: row, to: row })
      room = most
    }
    room -= cost
    ranges.at(-1)!.to = row + 1
  }
  return ranges
}

function rowsOf(
  { x, conditional, unconditional }: Pick<GuidedRows, 'x' | 'conditional' | 'unconditional'>,
  { from, to }: RowRange,
) {
  const count = to - from
  return {
    x: x.slice(from, count),
    conditional: contextRows(conditional, from, count),
    unconditional: contextRows(unconditional, from, count),
  }
}

// What each row is guided away from; `fallback` holds the empty prompt and the negative one.
function unconditionalRows(
  { unconditional }: InversionStep,
  fallback: Tensor3D,
  negative: boolean,
  edits: number,
): Tensor3D {
  const source = unconditional ?? contextRows(fallback, 0, 1)
  const target = negative ? contextRows(fallback, 1, 1) : source
  return joinContexts([source, ...new Array<Tensor3D>(edits).fill(target)])
}

// The source is set to its pivot; with `'both'` the edits follow by the same offset.
function pinTo(pivot: Tensor4D, stepped: Tensor4D, pin: 'source' | 'both'): Tensor4D {
  const edited = stepped.slice(1)
  const offset = pivot.sub(stepped.slice(0, 1))
  return tf.concat([pivot, pin === 'both' ? edited.add<Tensor4D>(offset) : edited])
}

function blendBranches(branches: readonly EditBranch[], index: number, x: Tensor4D): Tensor4D {
  const source = x.slice(0, 1)
  const blended = branches.map(({ region }, edit) => {
    const target = x.slice(1 + edit, 1)
    return region && index >= region.from ? applyBlend(region, source, target) : target
  })
  return tf.concat([source, ...blended])
}

function expectEditing(
  inversion: Inversion,
  edits: number,
  guidance: number,
  pin: 'source' | 'both',
  skip: number,
): void {
  expectInversion(inversion, 'promptToPrompt')
  expectNumber(guidance, {}, 'promptToPrompt', 'guidance')
  expectNumber(edits, { min: 1 }, 'promptToPromptMany', 'the number of edits')
  expectNumber(skip, { min: 0, max: 0.99 }, 'promptToPrompt', 'skip')
  if ((pin === 'source' && skip === 0) || inversion.steps.every(({ pivot }) => pivot)) return
  throw new ArgumentError({
    rule: "promptToPrompt with skip or with pin 'both' needs an inversion with a pivot for every step",
    got: `${inversion.method}, without`,
    mend: 'Invert with pivotPinned().',
  })
}
