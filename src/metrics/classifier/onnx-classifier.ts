import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ArgumentError, BackendError, CheckpointError, formatShape } from '../../core/index.js'
import { type LoadedClassifier, rowsOf } from './classifier.js'

/** How a model wants its pictures, and which of its outputs is wanted. */
export interface OnnxClassifierOptions {
  /**
   * Pictures in [0, 1], channels-last, to what the model reads. Absent, they are only turned channels-first, as
   * most exported networks expect.
   */
  readonly prepare?: ((images: Tensor4D) => Tensor) | undefined
  /** The name of the output; the first. */
  readonly output?: string | undefined
  /** The runtime; absent, `onnxruntime-node` is imported, which you install beside this library. */
  readonly runtime?: OnnxRuntime | undefined
}

/** The part of onnxruntime that is used: onnxruntime-node, onnxruntime-web, or a fake in a test. */
export interface OnnxRuntime {
  /** Loads networks. */
  readonly InferenceSession: OnnxSessions
  /** The runtime's own tensors. */
  readonly Tensor: OnnxTensors
}

/** Where tensors come from. */
export interface OnnxTensors {
  /** A type, the values row by row, and the shape. */
  new (type: 'float32', data: Float32Array, shape: readonly number[]): unknown
}

/** Where sessions come from. */
export interface OnnxSessions {
  /** Loads a file by its path, or bytes. */
  create(model: string | Uint8Array): Promise<OnnxSession>
}

/** A loaded network. */
export interface OnnxSession {
  /** The names of its inputs. */
  readonly inputNames: readonly string[]
  /** The names of its outputs. */
  readonly outputNames: readonly string[]
  /** Inputs by name to outputs by name. */
  run(feeds: Record<string, unknown>): Promise<Record<string, OnnxOutput>>
  /** Frees the network, where the runtime can. */
  release?(): Promise<void>
}

/** One output of a network. */
export interface OnnxOutput {
  /** Row-major numbers, for outputs that are numbers. */
  readonly data: unknown
}

/**
 * A classifier from an ONNX file, run by onnxruntime-node where that is installed.
 *
 * @param model - the file's path, or its bytes
 * @param options - preparation, output, runtime
 * @returns owned by the caller; call `dispose` when done
 * @throws BackendError when onnxruntime-node is not installed, CheckpointError when it cannot read the file
 * @throws ArgumentError when the network has several inputs, no such output, or no row per picture; and from `predict`
 * when the network refuses what `prepare` made, or was disposed of
 */
export async function loadOnnxClassifier(
  model: string | Uint8Array,
  { prepare = channelsFirst, output, runtime }: OnnxClassifierOptions = {},
): Promise<LoadedClassifier> {
  const { InferenceSession, Tensor } = runtime ?? (await installedRuntime())
  const session = await open(InferenceSession, model)
  const name = output ?? session.outputNames[0]
  if (session.inputNames.length !== 1 || name === undefined || !session.outputNames.includes(name)) {
    await session.release?.()
    throw misfit(session, output)
  }
  let released = false
  return {
    predict: async (images) => {
      if (released) throw disposed()
      const input = tf.tidy(() => prepare(images).clone())
      const data = await input.data().finally(() => input.dispose())
      const feed = new Tensor('float32', data as Float32Array, input.shape)
      const results = await session.run({ [session.inputNames[0]!]: feed }).catch((cause) => {
        throw refused(cause, input.shape)
      })
      return rowsOf(results[name]!.data as ArrayLike<number>, images.shape[0], 'loadOnnxClassifier')
    },
    dispose: async () => {
      if (released) return
      released = true
      await session.release?.()
    },
  }
}

async function open(sessions: OnnxSessions, model: string | Uint8Array): Promise<OnnxSession> {
  try {
    return await sessions.create(model)
  } catch (cause) {
    throw new CheckpointError({
      rule: 'loadOnnxClassifier needs an ONNX network that the runtime can read',
      got: `${typeof model === 'string' ? model : `${model.length} bytes`} (${reason(cause)})`,
      mend: 'Check the path; check the file with onnx.checker; a newer runtime reads newer operator sets.',
      cause,
    })
  }
}

function refused(cause: unknown, shape: readonly number[]): ArgumentError {
  return new ArgumentError({
    rule: 'loadOnnxClassifier needs pictures that the network takes',
    got: `${formatShape(shape)} (${reason(cause)})`,
    mend: 'Resize, turn or tile them in options.prepare.',
    cause,
  })
}

function disposed(): ArgumentError {
  return new ArgumentError({
    rule: 'A classifier works until it is disposed of',
    got: 'a call after dispose()',
    mend: 'Load it again, or dispose of it later.',
  })
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function channelsFirst(images: Tensor4D): Tensor {
  return images.transpose([0, 3, 1, 2])
}

async function installedRuntime(): Promise<OnnxRuntime> {
  // Not a literal: bundlers and the type checker must not look for an optional peer.
  const name: string = 'onnxruntime-node'
  try {
    const module = await import(name)
    return module.default ?? module
  } catch (cause) {
    throw new BackendError({
      rule: 'loadOnnxClassifier runs on onnxruntime-node',
      got: 'no such package',
      mend: 'npm install onnxruntime-node, or pass options.runtime (onnxruntime-web works too).',
      cause,
    })
  }
}

function misfit({ inputNames, outputNames }: OnnxSession, output: string | undefined): ArgumentError {
  return new ArgumentError({
    rule: `loadOnnxClassifier needs one input${output === undefined ? '' : ` and an output ${output}`}`,
    got: `inputs ${inputNames.join(', ')} and outputs ${outputNames.join(', ')}`,
    mend: 'Export the network with one picture input, or name another output.',
  })
}
