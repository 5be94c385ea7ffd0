import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Scope } from '../core/index.js'
import { ArgumentError } from '../core/index.js'
import type { InvertibleScheduler } from '../schedulers/index.js'

/** What a faithful replay of one sampling step needs. */
export interface InversionStep {
  /** The latents that the source branch is set to after this step (pivot pinning). */
  readonly pivot?: Tensor4D
  /** The embedding that takes the empty prompt's place at this step, `[1, tokens, width]`. */
  readonly unconditional?: Tensor3D
  /** The loss before each update of an optimised step. */
  readonly losses?: readonly number[]
}

/**
 * A path that reproduces an image: where to start, and for each step what a faithful replay needs.
 * Every inverter returns one and every editor accepts one; neither asks which method made it. Plain data; the
 * tensors belong to the caller, see {@link disposeInversion}.
 */
export interface Inversion {
  /** The inverter that made it, for the record: `'ddim'`, `'null-text'`, `'negative-prompt'`, `'pivot-pinned'`. */
  readonly method: string
  /** The prompt that describes the image. */
  readonly prompt: string
  /** The end of the prompt that the text encoder could not take; empty when everything fitted. */
  readonly truncated: string
  /** The scheduler whose steps the path follows. */
  readonly scheduler: InvertibleScheduler
  /** The guidance scale that a replay of the source must use; 1 is the conditional prediction alone. */
  readonly guidance: number
  /** The latents of the image itself, `[1, height, width, channels]`. */
  readonly clean: Tensor4D
  /** The noise to start from, `[1, height, width, channels]`. */
  readonly start: Tensor4D
  /** One entry per step, in sampling order. */
  readonly steps: readonly InversionStep[]
  /** Size of the image before it was padded for the network, `[height, width]` in pixels. */
  readonly size: readonly [height: number, width: number]
  /** Batch rows that the network evaluated, forward. */
  readonly evaluations: number
}

/**
 * Frees every tensor of an inversion. Idempotent.
 *
 * @param inversion - made by any inverter
 */
export function disposeInversion(inversion: Inversion): void {
  for (const tensor of tensorsOf(inversion)) tensor.dispose()
}

/** Hands a finished inversion to the caller: the scope will not free its tensors. */
export function releaseInversion(scope: Scope, inversion: Inversion): Inversion {
  for (const tensor of tensorsOf(inversion)) scope.release(tensor)
  return inversion
}

/**
 * Asserts that an inversion has one entry per step of its scheduler.
 *
 * @param inversion - as the caller gave it
 * @param where - the public function that needs it
 * @throws ArgumentError when the counts differ
 */
export function expectInversion(inversion: Inversion, where: string): void {
  const { steps, scheduler } = inversion
  if (steps.length === scheduler.timesteps.length) return
  throw new ArgumentError({
    rule: `${where} needs an inversion with one entry for each of its scheduler's ${scheduler.timesteps.length} steps`,
    got: `${steps.length} entries`,
    mend: 'Use the scheduler that the image was inverted with.',
  })
}

function tensorsOf({ clean, start, steps }: Inversion): Tensor[] {
  const perStep = steps.flatMap(({ pivot, unconditional }) => [pivot, unconditional])
  return [clean, start, ...perStep].filter((tensor) => tensor !== undefined)
}
