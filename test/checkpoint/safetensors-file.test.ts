import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  writeSafetensors,
} from '../../src/checkpoint/index.js'
import { ArgumentError, CheckpointError } from '../../src/core/index.js'
import { rawSafetensors, temporaryFolder } from './files.js'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/safetensors/${name}`, import.meta.url))

// The values that the fixture script writes.
const ramp = [0, -0, 1, -2.5, 65504, 2 ** -24, 2 ** -14, Infinity, -Infinity, 0.1, 1 / 3, 1e-5]

test('reads what Python wrote: every type, scalars, empty tensors, odd names', async () => {
  const file = await openSafetensors(fixture('mixed.safetensors'))
  expect(file.metadata).toEqual({ format: 'pt', 'made by': 'torch' })
  expect(await file.read('f32')).toEqual(Float32Array.from(ramp))
  expect(file.entries.get('f32')!.shape).toEqual([3, 4])
  expect(await file.read('f64')).toEqual(Float64Array.from(Float32Array.from(ramp)))
  expect(await file.read('ids')).toEqual(BigInt64Array.from({ length: 77 }, (_, i) => BigInt(i)))
  expect(await file.read('scalar')).toEqual(Float32Array.of(4.6052))
  expect(await file.read('empty')).toEqual(new Float32Array(0))
  expect(await file.read('größe/😀')).toEqual(Float32Array.of(7))
  const [half, brain] = [await file.read('f16'), await file.read('bf16')] as [Float32Array, Float32Array]
  expect([...half].slice(0, 9)).toEqual(ramp.slice(0, 9))
  expect(half[9]).toBe(0.0999755859375)
  expect([brain[4], brain[9]]).toEqual([65536, 0.10009765625])
  await file.close()
})

test('a type that only other programs read is an error of that tensor alone', async () => {
  const file = await openSafetensors(fixture('mixed.safetensors'))
  await expect(file.read('flags')).rejects.toThrow(/"flags" of BOOL/)
  await expect(file.read('nonsense')).rejects.toThrow(CheckpointError)
  await file.close()
})

test('tensors at odd addresses are read as they are', async () => {
  const file = await openSafetensors(fixture('unaligned.safetensors'))
  expect(file.entries.get('b.weight')!.begin % 2).toBe(1)
  expect(await file.read('b.weight')).toEqual(Float32Array.from(ramp))
  expect([...((await file.read('c.half')) as Float32Array)].slice(0, 5)).toEqual(ramp.slice(0, 5))
  await file.close()
})

test('one tensor of a file larger than memory is read without the rest', async () => {
  const size = 2 ** 33
  const folder = await temporaryFolder({
    'big.safetensors': rawSafetensors(
      {
        a: { dtype: 'F32', shape: [size / 4], data_offsets: [0, size] },
        b: { dtype: 'F32', shape: [3], data_offsets: [size, size + 12] },
      },
      0,
    ),
  })
  const path = join(folder, 'big.safetensors')
  // Sparse: eight gigabytes that take no room on the disk.
  await truncate(path, (await stat(path)).size + size + 12)
  const file = await openSafetensors(path)
  expect(await file.read('b')).toEqual(new Float32Array(3))
  await file.close()
})

test('halves longer than one slice are decoded whole', async () => {
  const data = Float32Array.from({ length: 600_001 }, (_, i) => (i % 2048) - 1024)
  const file = await decodeSafetensors(
    await encodeSafetensors(new Map([['a', { shape: [600_001], data }]]), { dtype: 'f16' }),
  )
  expect(((await file.read('a')) as Float32Array).every((value, i) => value === data[i])).toBe(true)
})

// Half a unit in the last place, or half the smallest number.
const isNearestHalf = (half: number, value: number) =>
  Math.abs(half - value) <= Math.max(2 ** -25, Math.abs(value) * 2 ** -11)

test('what is written is read back, names sorted, data at a multiple of eight', async () => {
  const value = fc.float({ noNaN: true, min: -65504, max: 65504 })
  const name = fc.string({ maxLength: 8 }).filter((text) => text !== '__metadata__')
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(name, fc.array(value, { maxLength: 5 })),
      fc.constantFrom('f32', 'f16'),
      async (arrays, dtype) => {
        const tensors = new Map(
          Object.entries(arrays).map(([key, values]) => [
            key,
            { shape: [values.length], data: Float32Array.from(values) },
          ]),
        )
        const bytes = await encodeSafetensors(tensors, { dtype })
        const file = await decodeSafetensors(bytes)
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0)
        expect([...file.entries.keys()].sort()).toEqual([...tensors.keys()].sort())
        for (const [key, { data }] of tensors) {
          const read = (await file.read(key)) as Float32Array
          if (dtype === 'f32') expect(read).toEqual(data)
          else expect(read.every((value, i) => isNearestHalf(value, data[i]!))).toBe(true)
        }
      },
    ),
    { numRuns: 100 },
  )
})

test("tfjs tensors are written as they are, and stay the caller's", async () => {
  const tensor = tf.tensor2d([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const path = join(await temporaryFolder(), 'deep/er/model.safetensors')
  await writeSafetensors(path, new Map([['x', tensor]]), { metadata: { step: '7' } })
  tensor.dispose()
  const file = await openSafetensors(path)
  expect(file.metadata).toEqual({ format: 'pt', step: '7' })
  expect(file.entries.get('x')!.shape).toEqual([2, 3])
  expect(await file.read('x')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
  await file.close()
})

test('a tensor that cannot be written leaves no file and the old one in place', async () => {
  const folder = await temporaryFolder({ 'model.safetensors': 'old' })
  const path = join(folder, 'model.safetensors')
  const good = { shape: [1], data: Float32Array.of(1) }
  const write = (bad: { shape: number[]; data: Float32Array }) =>
    writeSafetensors(
      path,
      new Map([
        ['a', good],
        ['b', bad],
      ]),
      { dtype: 'f16' },
    )
  await expect(write({ shape: [2], data: Float32Array.of(1) })).rejects.toThrow(ArgumentError)
  await expect(write({ shape: [1], data: Float32Array.of(-65520) })).rejects.toThrow(/-65520 in b/)
  expect(await readdir(folder)).toEqual(['model.safetensors'])
  expect(await readFile(path, 'utf8')).toBe('old')
})

test.each([
  [
    'model.safetensors',
    'version https://git-lfs.github.com/spec/v1\noid sha256:19da7aaa\nsize 3438167540\n',
    /git-LFS pointer that stands for 3438167540 bytes.*git lfs pull/,
  ],
  ['model.safetensors', '<!DOCTYPE html><html>Log in', /a web page/],
  ['model.safetensors', Buffer.from('504b0304140000000808', 'hex'), /Python pickle/],
  ['model.safetensors', Buffer.from('80027d7100285808', 'hex'), /Python pickle/],
  ['pytorch_model.bin', Buffer.alloc(100), /Python pickle.*torch\.load\(.*weights_only=True/],
  ['v1-5.ckpt', Buffer.alloc(100), /Python pickle.*from_single_file/],
  ['w.pth', Buffer.alloc(100), /Python pickle/],
])('%s that is something else is named', async (name, content, message) => {
  const folder = await temporaryFolder({ [name]: content })
  await expect(openSafetensors(join(folder, name))).rejects.toThrow(message)
})

test('missing files and folders are typed errors that name the path', async () => {
  const folder = await temporaryFolder()
  await expect(openSafetensors(join(folder, 'none.safetensors'))).rejects.toThrow(
    /none\.safetensors \(ENOENT\)/,
  )
  await expect(openSafetensors(folder)).rejects.toThrow(CheckpointError)
})

test('a file that shrinks while it is open is an error', async () => {
  const bytes = await encodeSafetensors(new Map([['a', { shape: [64], data: new Float32Array(64) }]]))
  const folder = await temporaryFolder({ 'a.safetensors': bytes })
  const file = await openSafetensors(join(folder, 'a.safetensors'))
  await truncate(join(folder, 'a.safetensors'), bytes.length - 8)
  await expect(file.read('a')).rejects.toThrow(/keep its size/)
  await file.close()
})
