import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import sharp, { type Sharp } from 'sharp'
import { afterAll } from 'vitest'

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'contrafact-image-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Values and shape of a tensor, which is freed. */
export async function take(
  tensor: tf.Tensor | Promise<tf.Tensor>,
): Promise<{ shape: number[]; values: number[] }> {
  const resolved = await tensor
  const values = Array.from(await resolved.data())
  resolved.dispose()
  return { shape: resolved.shape, values }
}

/** Levels of a tensor in [0, 1], which is freed. */
export async function takeLevels(tensor: tf.Tensor | Promise<tf.Tensor>, top = 255): Promise<number[]> {
  return (await take(tensor)).values.map((v) => v * top)
}

export type Channels = 1 | 2 | 3 | 4

/** Interleaved pixels as a sharp pipeline, 16 bits where the array has them. */
export function raw(
  data: Uint8Array | Uint16Array,
  height: number,
  width: number,
  channels: Channels,
): Sharp {
  const deep = data instanceof Uint16Array
  const space = channels < 3 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb'
  return sharp(data, { raw: { height, width, channels } }).toColourspace(space)
}

/** Bytes that compress badly but are the same every time. */
export function pattern(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => 128 + 100 * Math.sin(i / 77) + ((i * 7919) % 20))
}

export function constant(value: number, shape: [number, number, number, number]): tf.Tensor4D {
  return tf.fill(shape, value)
}
