import * as tf from '@tensorflow/tfjs'
import { afterAll, describe, expect, test } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import { ArgumentError, BackendError } from '../../src/core/index.js'
import { hashUniform } from '../support/name-hash.js'

const random = (name: string, size: number) => Float32Array.from(hashUniform(name, size))

const [picture, filter, weights] = [
  random('picture', 2 * 17 * 19 * 8),
  random('filter', 9 * 8 * 33),
  random('weights', 33 * 65),
]

// A convolution, a product, a softmax and a sum: what threads share, and what they do not.
async function compute(): Promise<Buffer> {
  const result = tf.tidy(() => {
    const filtered = tf.conv2d(
      tf.tensor4d(picture, [2, 17, 19, 8]),
      tf.tensor4d(filter, [3, 3, 8, 33]),
      1,
      'same',
    )
    const rows = tf.reshape(filtered, [-1, 33])
    const scores = tf.softmax(tf.matMul(rows, tf.tensor2d(weights, [33, 65])))
    return tf.concat([tf.reshape(tf.sigmoid(scores), [-1]), tf.reshape(tf.mean(scores, 0), [-1])])
  })
  const data = Buffer.from((await result.data()).slice().buffer)
  result.dispose()
  return data
}

async function start(threads: number) {
  tf.removeBackend('wasm')
  return useBackend('wasm', { threads })
}

describe.runIf((process.env.CONTRAFACT_BACKEND ?? 'wasm') === 'wasm')('threads on wasm', () => {
  afterAll(async () => {
    await start(1)
  })

  test.each([1, 2, 3])('of %i give the results of one, to the last bit', async (threads) => {
    await start(1)
    const right = await compute()
    const { device } = await start(threads)
    expect(device.name).toBe(threads === 1 ? 'SIMD, one thread' : `SIMD, ${threads} threads`)
    for (let i = 0; i < 5; i++) expect((await compute()).equals(right)).toBe(true)
  })

  test('leave no global behind, and a heap that grows', async () => {
    await start(2)
    expect('Worker' in globalThis && (globalThis as { Worker?: unknown }).Worker !== undefined).toBe(false)
    const large = tf.tidy(() => Array.from({ length: 8 }, (_, i) => tf.fill([2 ** 23], i)))
    const tops = tf.tidy(() => tf.stack(large.map((one) => tf.max(one))))
    expect([...(await tops.data())]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    tf.dispose([...large, tops])
  })

  test('are as many after the death of a backend as before it', async () => {
    await start(2)
    const { wasm } = tf.backend() as unknown as { wasm: { _malloc: (bytes: number) => number } }
    wasm._malloc = () => {
      throw new WebAssembly.RuntimeError('unreachable')
    }
    expect(() => tf.ones([3])).toThrow(BackendError)
    const { device } = await useBackend('wasm')
    expect(device.name).toContain('2 threads')
    expect(await compute()).toHaveLength(4 * (2 * 17 * 19 + 1) * 65)
  })

  test('are a whole number that the module can start, and fixed from the start on', async () => {
    for (const threads of [0, 9, 1.5, Number.NaN])
      await expect(useBackend('wasm', { threads })).rejects.toThrow(ArgumentError)
    await start(2)
    await expect(useBackend('wasm', { threads: 3 })).rejects.toThrow(/with a backend of 2 at work/)
    expect((await useBackend('wasm')).device.name).toContain('2 threads')
  })
})
