import { readFile } from 'node:fs/promises'
import * as tf from '@tensorflow/tfjs'
import { loadTensors, openWeights, readComponentConfig } from 'contrafact/checkpoint'
import type { ParameterShapes } from 'contrafact/models'
import { parameterTree } from 'contrafact/nn'

/** The parameters of one component of a folder, tensor by tensor. */
export async function loadComponent<T extends object>(
  folder: string,
  component: string,
  shapes: ParameterShapes,
): Promise<T> {
  const weights = await openWeights(folder, component, {})
  try {
    const named = new Map<string, tf.Tensor>()
    for await (const { name, tensor } of loadTensors(weights, shapes)) named.set(name, tensor)
    return parameterTree<T>(named)
  } finally {
    await weights.close()
  }
}

/** The config of one component. */
export const configOf = async (folder: string, component: string) => readComponentConfig(folder, component)

/** An input that both sides read: raw float32, made by the harness. */
export async function readInput<R extends tf.Rank>(
  path: string,
  shape: tf.ShapeMap[R],
): Promise<tf.Tensor<R>> {
  const bytes = await readFile(path)
  return tf.tensor(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), shape) as tf.Tensor<R>
}
