import type { Tensor } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { openSafetensors, writeSafetensors } from '../../checkpoint/index.js'
import { type Inversion, inversionFromTensors, inversionToTensors } from '../../inversion/index.js'
import type { InvertibleScheduler } from '../../schedulers/index.js'

/**
 * Writes a path to a safetensors file, float32, whole or not at all.
 *
 * @param path - of the file
 * @param inversion - made by any inverter; borrowed
 */
export async function saveInversion(path: string, inversion: Inversion): Promise<void> {
  const { tensors, metadata } = inversionToTensors(inversion)
  try {
    const writable = Object.entries(tensors).map(
      ([name, tensor]) => [name, { shape: tensor.shape, data: () => tensor.data<'float32'>() }] as const,
    )
    await writeSafetensors(path, new Map(writable), { metadata })
  } finally {
    tf.dispose(Object.values(tensors))
  }
}

/**
 * Reads a path from a file of {@link saveInversion}, to the last bit.
 *
 * @param path - of the file
 * @param scheduler - built with the options of the inversion
 * @returns owned by the caller
 * @throws CheckpointError when the file is damaged or of another scheduler
 */
export async function loadInversion(path: string, scheduler: InvertibleScheduler): Promise<Inversion> {
  const file = await openSafetensors(path)
  const tensors: Record<string, Tensor> = {}
  try {
    for (const [name, { shape }] of file.entries)
      tensors[name] = tf.tensor((await file.read(name)) as Float32Array, [...shape])
    return inversionFromTensors(
      { tensors, metadata: Object.fromEntries(Object.entries(file.metadata)) },
      scheduler,
    )
  } finally {
    tf.dispose(Object.values(tensors))
    await file.close()
  }
}
