import * as tf from '@tensorflow/tfjs'
import {
  type ComponentWeights,
  loadTensors,
  openSafetensors,
  type SafetensorsFile,
} from '../../checkpoint/index.js'
import { ArgumentError } from '../../core/index.js'
import type { NamedParameters } from '../../nn/index.js'

/** Names of a network's tensors to their shapes as PyTorch stores them. */
export type NetworkShapes = ReadonlyMap<string, readonly number[]>

/**
 * Reads a network's tensors from one or more safetensors files, tensors by tensor; names that the network has no use
 * for are passed over.
 *
 * @returns in this library's layout, owned by the caller
 * @throws CheckpointError listing what is missing or mis-shaped
 */
export async function readWeights(
  paths: readonly string[],
  shapes: NetworkShapes,
  ignore = /./,
): Promise<NamedParameters> {
  const files: SafetensorsFile[] = []
  const named = new Map<string, tf.Tensor>()
  try {
    for (const path of paths) files.push(await openSafetensors(path))
    for await (const { name, tensor } of loadTensors(together(files), shapes, { ignore }))
      named.set(name, tensor)
    return named
  } catch (error) {
    tf.dispose([...named.values()])
    throw error
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}

/** A named tensor; the shapes were checked when the weights were read, but a caller may bring their own map. */
export function weight<T extends tf.Tensor>(named: NamedParameters, name: string): T {
  const tensor = named.get(name)
  if (tensor) return tensor as T
  throw new ArgumentError({
    rule: 'A network needs all of its weights',
    got: `none called ${name}`,
    mend: 'Names are those of the PyTorch state_dict; read them with the load function of the network.',
  })
}

/** `scale = γ / √(σ² + ε)` and `shift = β − μ scale` of a batch norm in inference; owned by the caller. */
export function foldNorm(
  named: NamedParameters,
  name: string,
  epsilon: number,
): { readonly scale: tf.Tensor1D; readonly shift: tf.Tensor1D } {
  const of = (part: string) => weight<tf.Tensor1D>(named, `${name}.${part}`)
  const scale = tf.tidy(() => tf.mul<tf.Tensor1D>(of('weight'), tf.rsqrt(tf.add(of('running_var'), epsilon))))
  const shift = tf.tidy(() => tf.sub<tf.Tensor1D>(of('bias'), tf.mul(of('running_mean'), scale)))
  return { scale, shift }
}

/** A batch norm's tensors. */
export function normShapes(name: string, channels: number): [string, readonly number[]][] {
  return ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]])
}

function together(files: readonly SafetensorsFile[]): ComponentWeights {
  const owner = (name: string) => files.find((file) => file.entries.has(name))
  return {
    file: files.map((file) => file.name).join(' and '),
    variant: null,
    fellBack: false,
    names: files.flatMap((file) => [...file.entries.keys()]),
    shape: (name) => owner(name)?.entries.get(name)?.shape,
    dtype: (name) => owner(name)?.entries.get(name)?.dtype,
    place: (name) => owner(name)?.place(name),
    read: async (name, room) => owner(name)!.read(name, room),
    close: async () => undefined,
  }
}
