import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import { z } from 'zod'
import { CheckpointError, expectShape } from '../core/index.js'
import type { InvertibleScheduler } from '../schedulers/index.js'
import type { Inversion, InversionStep } from './inversion.js'

/** An inversion as a safetensors file holds it: named tensors and string metadata. */
export interface StoredInversion {
  /** `clean`, `start`, and `steps.<i>.pivot`, `steps.<i>.unconditional` where the steps have them. */
  readonly tensors: Readonly<Record<string, Tensor>>
  /** One entry, `inversion`, with everything else as JSON. */
  readonly metadata: Readonly<Record<string, string>>
}

const description = z.object({
  method: z.string(),
  prompt: z.string(),
  truncated: z.string(),
  guidance: z.number(),
  size: z.tuple([z.int().positive(), z.int().positive()]).readonly(),
  evaluations: z.int().nonnegative(),
  scheduler: z.object({ name: z.string(), prediction: z.string(), timesteps: z.array(z.number()) }),
  losses: z.array(z.array(z.number()).nullable()),
})

/**
 * Takes an inversion apart for a file.
 *
 * @param inversion - borrowed
 * @returns tensors and metadata; the tensors are new handles on the same numbers, owned by the caller
 */
export function inversionToTensors(inversion: Inversion): StoredInversion {
  const { method, prompt, truncated, guidance, size, evaluations, scheduler, steps } = inversion
  const tensors: Record<string, Tensor> = { clean: inversion.clean.clone(), start: inversion.start.clone() }
  for (const [i, { pivot, unconditional }] of steps.entries()) {
    if (pivot) tensors[`steps.${i}.pivot`] = pivot.clone()
    if (unconditional) tensors[`steps.${i}.unconditional`] = unconditional.clone()
  }
  const told: z.infer<typeof description> = {
    ...{ method, prompt, truncated, guidance, size, evaluations },
    scheduler: {
      name: scheduler.name,
      prediction: scheduler.prediction,
      timesteps: [...scheduler.timesteps],
    },
    losses: steps.map(({ losses }) => (losses ? [...losses] : null)),
  }
  return { tensors, metadata: { inversion: JSON.stringify(told) } }
}

/**
 * Puts a stored inversion together again.
 *
 * @param stored - from {@link inversionToTensors}; borrowed
 * @param scheduler - built with the options of the inversion; functions are not stored, only what tells two
 *   schedulers apart
 * @returns an inversion with handles of its own, owned by the caller
 * @throws CheckpointError when something is missing or the scheduler is another one
 * @throws ShapeError when a tensor has the wrong shape
 */
export function inversionFromTensors(stored: StoredInversion, scheduler: InvertibleScheduler): Inversion {
  const { losses: perStep, scheduler: original, ...told } = readDescription(stored.metadata.inversion)
  expectScheduler(scheduler, original)
  const clean = take(stored, 'clean') as Tensor4D
  const start = take(stored, 'start') as Tensor4D
  expectShape(clean, [1, null, null, null], 'inversionFromTensors', 'clean')
  expectShape(start, clean.shape, 'inversionFromTensors', 'start')
  const steps = perStep.map((losses, i): InversionStep => {
    const pivot = stored.tensors[`steps.${i}.pivot`] as Tensor4D | undefined
    const unconditional = stored.tensors[`steps.${i}.unconditional`] as Tensor3D | undefined
    if (pivot) expectShape(pivot, clean.shape, 'inversionFromTensors', `steps.${i}.pivot`)
    if (unconditional)
      expectShape(unconditional, [1, null, null], 'inversionFromTensors', `steps.${i}.unconditional`)
    return { ...(pivot && { pivot }), ...(unconditional && { unconditional }), ...(losses && { losses }) }
  })
  return cloneTensors({ ...told, scheduler, clean, start, steps })
}

function cloneTensors(inversion: Inversion): Inversion {
  const steps = inversion.steps.map(({ pivot, unconditional, ...rest }) => ({
    ...rest,
    ...(pivot && { pivot: pivot.clone() }),
    ...(unconditional && { unconditional: unconditional.clone() }),
  }))
  return { ...inversion, clean: inversion.clean.clone(), start: inversion.start.clone(), steps }
}

function readDescription(json: string | undefined): z.infer<typeof description> {
  try {
    return description.parse(JSON.parse(json ?? 'null'))
  } catch (cause) {
    throw new CheckpointError({
      rule: 'inversionFromTensors needs the metadata that inversionToTensors wrote, under "inversion"',
      got: json === undefined ? 'none' : json.slice(0, 80),
      mend: 'Store tensors and metadata together, e.g. in one safetensors file.',
      cause,
    })
  }
}

function expectScheduler(
  scheduler: InvertibleScheduler,
  told: z.infer<typeof description>['scheduler'],
): void {
  const name = (s: { name: string; prediction: string; timesteps: readonly number[] }) =>
    `${s.name} of ${s.timesteps.length} steps from ${s.timesteps[0]}, predicting ${s.prediction}`
  const same =
    name(scheduler) === name(told) &&
    told.timesteps.every((timestep, i) => timestep === scheduler.timesteps[i])
  if (same) return
  throw new CheckpointError({
    rule: `inversionFromTensors needs the scheduler of the inversion: ${name(told)}`,
    got: name(scheduler),
    mend: 'Build the scheduler with the same options.',
  })
}

function take({ tensors }: StoredInversion, name: string): Tensor {
  const tensor = tensors[name]
  if (tensor) return tensor
  throw new CheckpointError({
    rule: `inversionFromTensors needs a tensor "${name}"`,
    got: Object.keys(tensors).join(', ') || 'no tensors',
    mend: 'Store every tensor that inversionToTensors gives.',
  })
}
