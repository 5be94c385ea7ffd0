import * as tf from '@tensorflow/tfjs'
import { breathe, NumericError, type RunOptions, type TorchRandom, torchRandn } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import type { AdamWOptions } from './adamw.js'
import { average } from './ema.js'
import { clipByNorm, differentiate, globalNorm } from './gradients.js'
import { adamWByGroup, type ParameterGroup } from './groups.js'
import {
  type CurvePoint,
  disposeTrainingState,
  readTrainingState,
  type TrainingState,
  trainingState,
  writeTrainingState,
} from './state.js'

/** How a model is fitted; what it is fitted to is {@link Objective}. */
export interface FitOptions extends RunOptions {
  /** Updates in all, those of a resumed run included. */
  readonly steps: number
  /** The optimiser's rate after warm-up. */
  readonly learningRate: number
  /** Steps over which the rate rises linearly from zero; 0 by default. */
  readonly warmup?: number
  /** `'cosine'` lets the rate fall to zero at the last step; `'constant'` by default. */
  readonly schedule?: 'constant' | 'cosine'
  /** AdamW's constants. */
  readonly adamW?: AdamWOptions
  /** Parameters that go their own way. */
  readonly groups?: readonly ParameterGroup[]
  /** Limit of the gradients' global norm; 1 by default. */
  readonly clip?: number
  /** A step whose gradients' global norm reaches this moves nothing; no limit by default. */
  readonly skip?: number
  /** Decay of the moving average of the weights, 0 for none; 0.999 by default. */
  readonly ema?: number
  /** Seeds every draw; step `i` draws the same whether or not the run was interrupted before it. */
  readonly seed: number
  /** Where the run saves itself, and every how many steps; it resumes from there when it finds its own file. */
  readonly checkpoint?: {
    /** A safetensors file. */
    readonly path: string
    /** Steps from one save to the next. */
    readonly every: number
  }
  /** Called after each checkpoint with the state, which is borrowed: for measurements beside the loss. */
  readonly onCheckpoint?: (state: TrainingState) => void | Promise<void>
  /** Anything that identifies the run; a checkpoint with other settings is refused. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What is minimised. */
export interface Objective<Batch extends tf.TensorContainer> {
  /** The data of one step, drawn with that step's own generator; its tensors are freed after the step. */
  batch(step: number, random: TorchRandom): Batch
  /** The loss of one batch, differentiable in every parameter. */
  loss(parameters: NamedParameters, batch: Batch): tf.Scalar
}

/**
 * Minimises an objective with AdamW: warm-up, clipping, a moving average of the weights, a loss curve, atomic
 * checkpoints, and resumption to the same curve.
 *
 * @param initial - borrowed; ignored when a checkpoint is resumed
 * @param objective - data and loss
 * @returns the final state, owned by the caller: see {@link disposeTrainingState}
 * @throws NumericError when the loss is not finite: nothing is saved, the last checkpoint stays good
 * @throws CheckpointError when the checkpoint is of another run
 * @throws AbortError
 */
export async function fit<Batch extends tf.TensorContainer>(
  initial: NamedParameters,
  objective: Objective<Batch>,
  options: FitOptions,
): Promise<TrainingState> {
  const { steps, ema = 0.999, checkpoint, settings = {}, onProgress } = options
  let state =
    (checkpoint && (await readTrainingState(checkpoint.path, initial, settings))) ?? trainingState(initial)
  try {
    while (state.step < steps) {
      await breathe(options, 'training')
      const next = await update(state, objective, options, ema)
      disposeTrainingState(state)
      state = next
      const { loss } = state.curve.at(-1)!
      onProgress?.({ stage: 'training', done: state.step, total: steps, loss })
      if (checkpoint && (state.step % checkpoint.every === 0 || state.step === steps)) {
        await writeTrainingState(checkpoint.path, state, settings)
        await options.onCheckpoint?.(state)
      }
    }
    return state
  } catch (error) {
    disposeTrainingState(state)
    throw error
  }
}

async function update<Batch extends tf.TensorContainer>(
  state: TrainingState,
  { batch: draw, loss: measure }: Objective<Batch>,
  options: FitOptions,
  ema: number,
): Promise<TrainingState> {
  const { seed, clip = 1, skip = Number.POSITIVE_INFINITY } = options
  const batch = draw(state.step, torchRandn(stepSeed(seed, state.step)))
  const { loss, gradients } = differentiateAndFree(state.parameters, batch, measure)
  const norm = globalNorm(gradients)
  try {
    const [value, size] = [(await loss.data())[0]!, (await norm.data())[0]!]
    expectFinite(value, size, state.step)
    if (size >= skip) return unmoved(state, { loss: value, norm: size })
    const clipped = clipByNorm(gradients, size, clip)
    const rate = learningRateAt(state.step, options)
    const { parameters, state: optimizer } = adamWByGroup(
      state.parameters,
      clipped,
      state.optimizer,
      rate,
      options.adamW,
      options.groups ?? [],
    )
    tf.dispose([...clipped.values()])
    return {
      step: state.step + 1,
      parameters,
      optimizer,
      average: average(state.average, parameters, ema, state.step),
      curve: [...state.curve, { loss: value, norm: size }],
    }
  } finally {
    tf.dispose([loss, norm, ...gradients.values()])
  }
}

// The step counts, for the optimiser too, so that a resumed run counts the same.
function unmoved(state: TrainingState, point: CurvePoint): TrainingState {
  const copy = (named: NamedParameters) => new Map([...named].map(([name, tensor]) => [name, tensor.clone()]))
  const { step, parameters, optimizer, average: averaged, curve } = state
  return {
    step: step + 1,
    parameters: copy(parameters),
    optimizer: { step: step + 1, mean: copy(optimizer.mean), square: copy(optimizer.square) },
    average: copy(averaged),
    curve: [...curve, point],
  }
}

function differentiateAndFree<Batch extends tf.TensorContainer>(
  parameters: NamedParameters,
  batch: Batch,
  measure: Objective<Batch>['loss'],
) {
  try {
    return differentiate(parameters, (named) => measure(named, batch))
  } finally {
    tf.dispose(batch)
  }
}

/** The rate of a step: linear warm-up, then constant or a half cosine to zero. */
export function learningRateAt(
  step: number,
  {
    learningRate,
    warmup = 0,
    schedule = 'constant',
    steps,
  }: Pick<FitOptions, 'learningRate' | 'warmup' | 'schedule' | 'steps'>,
): number {
  if (step < warmup) return (learningRate * (step + 1)) / warmup
  if (schedule === 'constant') return learningRate
  return learningRate * 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup)))
}

// Consecutive seeds of one generator are safe; two runs' seeds must not walk over each other's steps.
function stepSeed(seed: number, step: number): number {
  return (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0
}

function expectFinite(loss: number, norm: number, step: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return
  throw new NumericError({
    rule: 'training needs a finite loss and finite gradients',
    got: `loss ${loss}, gradient norm ${norm} at step ${step}`,
    mend: 'Lower the learning rate or lengthen the warm-up, and resume from the last checkpoint.',
  })
}
