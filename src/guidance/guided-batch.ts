import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import {
  type AttentionControl,
  contextRows,
  type Denoiser,
  expectNumber,
  expectShape,
  joinContexts,
} from '../core/index.js'
import { classifierFree } from './classifier-free.js'

/** Rows that are denoised together, each with a guidance scale of its own. */
export interface GuidedRows {
  /** Noisy latents `[rows, height, width, channels]`; borrowed. */
  readonly x: Tensor4D
  /** The timestep of all rows. */
  readonly timestep: number
  /** One prompt embedding per row, `[rows, tokens, width]`; borrowed. */
  readonly conditional: Tensor3D
  /** What the rows are guided away from: one embedding for all, `[1, tokens, width]`, or one per row; borrowed. */
  readonly unconditional: Tensor3D
  /** One guidance scale per row; a row of scale 1 needs no unconditional evaluation. */
  readonly scales: readonly number[]
  /** Sees maps of the unconditional rows first, then all conditional rows in order. */
  readonly attention?: AttentionControl | undefined
}

/** What {@link guidedBatch} answers. */
export interface GuidedOutput {
  /** The guided predictions `[rows, height, width, channels]`, owned by the caller. */
  readonly output: Tensor4D
  /** Rows that the network evaluated: one per row, and one more where the scale is not 1. */
  readonly evaluations: number
}

/**
 * Classifier-free guidance of several rows in one call of the network, without the evaluations that a scale
 * of 1 would waste.
 *
 * @param denoise - the network
 * @param rows - latents, prompts and scales
 * @throws ArgumentError when a scale is not finite
 * @throws ShapeError when the rows do not match
 */
export function guidedBatch(denoise: Denoiser, rows: GuidedRows): GuidedOutput {
  const { x, timestep, conditional, unconditional, scales, attention } = rows
  for (const scale of scales) expectNumber(scale, {}, 'guidedBatch', 'every scale')
  expectShape(x, [scales.length, null, null, null], 'guidedBatch', 'x')
  expectShape(conditional, [scales.length, null, null], 'guidedBatch', 'conditional')
  expectShape(
    unconditional,
    [unconditional.shape[0] === 1 ? 1 : scales.length, null, null],
    'guidedBatch',
    'unconditional',
  )
  const guided = scales.flatMap((scale, row) => (scale === 1 ? [] : [row]))
  const output = tf.tidy(() => {
    const batch = [...guided.map((row) => x.slice(row, 1)), x]
    const away = (row: number) =>
      unconditional.shape[0] === 1 ? unconditional : contextRows(unconditional, row, 1)
    const context = [...guided.map(away), conditional]
    const all = denoise(tf.concat(batch), timestep, joinContexts(context), attention)
    const conditionalRow = (row: number) => all.slice(guided.length + row, 1)
    const perRow = scales.map((scale, row) =>
      scale === 1
        ? conditionalRow(row)
        : classifierFree(all.slice(guided.indexOf(row), 1), conditionalRow(row), scale),
    )
    return tf.concat(perRow)
  })
  return { output, evaluations: scales.length + guided.length }
}
