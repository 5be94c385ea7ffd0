import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { encodeSafetensors, loadParameters, loadTensors, openWeights } from '../../src/checkpoint/index.js'
import { CheckpointError, hasOwnKernel } from '../../src/core/index.js'
import { fromTorch } from '../../src/nn/index.js'
import { hashUniform } from '../support/name-hash.js'
import { temporaryFolder } from './files.js'

// On both sides of what the kernel that reads them takes at once: a square of numbers, a block of rows, a stretch of a row.
const shapes = new Map<string, readonly number[]>([
  ['scalar', []],
  ['norm.bias', [70]],
  ['token_embedding.weight', [301, 37]],
  ['wide.weight', [70, 5001]],
  ['tall.weight', [1030, 7]],
  ['row.weight', [1, 33]],
  ['column.weight', [33, 1]],
  ['conv.weight', [37, 50, 3, 3]],
  ['wide_conv.weight', [80, 300, 3, 3]],
  ['pixels.weight', [48, 32, 1, 1]],
  ['last.weight', [16, 16]],
])

async function stored(dtype: 'f32' | 'f16'): Promise<string> {
  const tensors = [...shapes].map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1)
    return [name, { shape, data: Float32Array.from(hashUniform(name, count)) }] as const
  })
  const bytes = await encodeSafetensors(new Map(tensors), { dtype })
  return temporaryFolder({ 'vae/model.safetensors': bytes })
}

test.each(['f32', 'f16'] as const)(
  'tensors of %s are the parameters, turned, to the last bit',
  async (dtype) => {
    const weights = await openWeights(await stored(dtype), 'vae')
    const wanted = new Map<string, tf.Tensor>()
    for await (const { name, shape, data } of loadParameters(weights, shapes).parameters)
      wanted.set(name, fromTorch(name, shape, data))
    const names: string[] = []
    for await (const { name, tensor } of loadTensors(weights, shapes)) {
      const due = wanted.get(name)!
      expect(tensor.shape, name).toEqual(due.shape)
      expect(Buffer.compare(bytesOf(tensor), bytesOf(due)), name).toBe(0)
      names.push(name)
      tensor.dispose()
    }
    expect(names).toEqual([...wanted.keys()])
    tf.dispose([...wanted.values()])
    await weights.close()
  },
)

test('a mixed file of halves, brain floats and doubles loads as float32', async () => {
  const folder = await temporaryFolder()
  const { copyFile, mkdir } = await import('node:fs/promises')
  await mkdir(join(folder, 'vae'))
  const mixed = new URL('../fixtures/safetensors/mixed.safetensors', import.meta.url)
  await copyFile(mixed, join(folder, 'vae/model.safetensors'))
  const weights = await openWeights(folder, 'vae')
  for (const expected of [{ bf16: [2, 6] }, { bf16: [2, 6], f64: [12] }]) {
    const shapesOf = new Map(Object.entries(expected))
    const wanted = new Map<string, readonly number[]>()
    for await (const { name, shape, data } of loadParameters(weights, shapesOf).parameters) {
      const tensor = fromTorch(name, shape, data)
      wanted.set(name, [...tensor.dataSync()])
      tensor.dispose()
    }
    for await (const { name, tensor } of loadTensors(weights, shapesOf)) {
      expect([...tensor.dataSync()]).toEqual(wanted.get(name))
      tensor.dispose()
    }
  }
  await weights.close()
})

test('a file that is cut short while it is read is an error that names it, and leaves no tensor', async () => {
  const folder = await stored('f32')
  const weights = await openWeights(folder, 'vae')
  const file = join(folder, 'vae/model.safetensors')
  await truncate(file, 400_000)
  const before = tf.memory().numTensors
  const taken: tf.Tensor[] = []
  const all = async () => {
    for await (const { tensor } of loadTensors(weights, shapes)) taken.push(tensor)
  }
  await expect(all()).rejects.toThrow(CheckpointError)
  await expect(all()).rejects.toThrow(/model\.safetensors must keep its size while it is read/)
  tf.dispose(taken)
  expect(tf.memory().numTensors).toBe(before)
  await weights.close()
})

test.runIf(process.env.CONTRAFACT_BACKEND === 'tensorflow')('tensorflow reads by a kernel of its own', () => {
  expect(hasOwnKernel('ReadParameter')).toBe(true)
})

function bytesOf(tensor: tf.Tensor): Buffer {
  const values = tensor.dataSync()
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
