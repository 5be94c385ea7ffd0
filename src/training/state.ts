import * as tf from '@tensorflow/tfjs'
import { fileExists, openSafetensors, writeSafetensors } from '../checkpoint/index.js'
import { CheckpointError } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import { type AdamWState, adamWState } from './adamw.js'

/** One step of a loss curve. */
export interface CurvePoint {
  /** The batch's loss before the update. */
  readonly loss: number
  /** The gradients' global norm before clipping. */
  readonly norm: number
}

/** A run between two steps: all that is needed to go on. Plain data; the tensors belong to the caller. */
export interface TrainingState {
  /** Updates so far. */
  readonly step: number
  /** The weights. */
  readonly parameters: NamedParameters
  /** The optimiser's memory. */
  readonly optimizer: AdamWState
  /** The moving average of the weights: use these for sampling. */
  readonly average: NamedParameters
  /** One point per step. */
  readonly curve: readonly CurvePoint[]
}

/** The state before the first step. Owned by the caller. */
export function trainingState(parameters: NamedParameters): TrainingState {
  const copy = () => new Map([...parameters].map(([name, tensor]) => [name, tensor.clone()]))
  return { step: 0, parameters: copy(), optimizer: adamWState(parameters), average: copy(), curve: [] }
}

/** Frees every tensor of a state. Idempotent. */
export function disposeTrainingState({ parameters, optimizer, average }: TrainingState): void {
  for (const part of [parameters, optimizer.mean, optimizer.square, average]) tf.dispose([...part.values()])
}

/**
 * Saves a run, whole or not at all.
 *
 * @param path - a safetensors file
 * @param settings - what identifies the run; compared on resumption
 */
export async function writeTrainingState(
  path: string,
  { step, parameters, optimizer, average, curve }: TrainingState,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const parts = { parameters, mean: optimizer.mean, square: optimizer.square, average }
  const tensors = new Map<string, tf.Tensor>()
  for (const [part, named] of Object.entries(parts)) {
    for (const [name, tensor] of named) tensors.set(`${part}/${name}`, tensor)
  }
  const metadata = { step: String(step), settings: JSON.stringify(settings), curve: JSON.stringify(curve) }
  await writeSafetensors(path, tensors, { metadata })
}

/**
 * Reads a run back.
 *
 * @param like - the run's initial parameters: names and shapes must agree
 * @param settings - must equal those that were saved
 * @returns the state, owned by the caller; nothing where there is no file
 * @throws CheckpointError naming the settings or tensors that differ
 */
export async function readTrainingState(
  path: string,
  like: NamedParameters,
  settings: Readonly<Record<string, unknown>>,
): Promise<TrainingState | undefined> {
  if (!(await fileExists(path))) return undefined
  const file = await openSafetensors(path)
  const read: tf.Tensor[] = []
  try {
    const { step, settings: saved, curve } = file.metadata
    expectSameRun(path, JSON.parse(saved ?? '{}'), settings)
    const part = async (prefix: string): Promise<NamedParameters> => {
      const named = new Map<string, tf.Tensor>()
      for (const [name, { shape }] of like) {
        const entry = file.entries.get(`${prefix}/${name}`)
        if (entry?.shape.join() !== shape.join())
          throw otherModel(path, `${prefix}/${name}`, shape, entry?.shape)
        const tensor = tf.tensor((await file.read(`${prefix}/${name}`)) as Float32Array, shape)
        read.push(tensor)
        named.set(name, tensor)
      }
      return named
    }
    return {
      step: Number(step),
      parameters: await part('parameters'),
      optimizer: { step: Number(step), mean: await part('mean'), square: await part('square') },
      average: await part('average'),
      curve: JSON.parse(curve ?? '[]') as CurvePoint[],
    }
  } catch (error) {
    tf.dispose(read)
    throw error
  } finally {
    await file.close()
  }
}

function expectSameRun(
  path: string,
  saved: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
): void {
  const keys = new Set([...Object.keys(saved), ...Object.keys(settings)])
  const differing = [...keys].filter((key) => JSON.stringify(saved[key]) !== JSON.stringify(settings[key]))
  if (differing.length === 0) return
  throw new CheckpointError({
    rule: `training resumes ${path} only with the settings that it was started with`,
    got: differing
      .map((key) => `${key}: ${JSON.stringify(settings[key])}, was ${JSON.stringify(saved[key])}`)
      .join('; '),
    mend: 'Restore those settings, or move the file away to start afresh.',
  })
}

function otherModel(
  path: string,
  name: string,
  shape: readonly number[],
  found?: readonly number[],
): CheckpointError {
  return new CheckpointError({
    rule: `training resumes ${path} only for the model it was started with, which has ${name} of shape [${shape}]`,
    got: found ? `[${found}]` : 'no such tensor',
    mend: 'Use the same config, or move the file away to start afresh.',
  })
}
