import { readdirSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { afterAll, describe, expect, test } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import { ArgumentError, BackendError } from '../../src/core/index.js'
import { attention, geglu, gelu, groupNorm, layerNorm, silu } from '../../src/nn/index.js'
import { hashUniform } from '../support/name-hash.js'

const random = (name: string, size: number) => Float32Array.from(hashUniform(name, size))

const [picture, filter, weights] = [
  random('picture', 2 * 17 * 19 * 8),
  random('filter', 9 * 8 * 33),
  random('weights', 33 * 65),
]

// What threads share, forwards and backwards, and what they do not.
async function compute(): Promise<Buffer> {
  const layers = tf.tidy(() => {
    const x = tf.reshape(tf.tensor1d(picture), [2, 17, 19, 8]) as tf.Tensor4D
    const norm = { weight: tf.linspace(0.5, 1.5, 8), bias: tf.linspace(-1, 1, 8) }
    const loss = (x: tf.Tensor) => {
      const h = silu(groupNorm(norm, x as tf.Tensor4D, 2, 1e-5))
      const tokens = tf.reshape(geglu(layerNorm(norm, tf.reshape(h, [2, -1, 8]))), [2, -1, 4]) as tf.Tensor3D
      return tf.sum(gelu(attention(tokens, tokens, tokens, 2)))
    }
    const { value, grad } = tf.valueAndGrad(loss)(x)
    return tf.concat([tf.reshape(value, [1]), tf.reshape(grad, [-1])])
  })
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
  const data = Buffer.concat(
    await Promise.all([result, layers].map(async (t) => Buffer.from((await t.data()).slice().buffer))),
  )
  tf.dispose([result, layers])
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

  test.each([1, 2, 3, 8])('of %i give the results of one, to the last bit', async (threads) => {
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
    expect(await compute()).toHaveLength(4 * ((2 * 17 * 19 + 1) * 65 + 2 * 17 * 19 * 8 + 1))
  })

  test.runIf(process.platform === 'linux')('end with their backend', async () => {
    const threads = () => readdirSync('/proc/self/task').length
    await start(1)
    const before = threads()
    for (let time = 0; time < 3; time++) {
      await start(6)
      await start(1)
    }
    await expect.poll(threads, { timeout: 10_000 }).toBeLessThan(before + 5)
  })

  test('that die in the middle of a kernel end the backend and not the process', async () => {
    await start(3)
    const { dataIdMap } = tf.backend() as unknown as {
      dataIdMap: { get(id: object): { memoryOffset: number } }
    }
    const [a, b] = [tf.ones<tf.Rank.R2>([3000, 64]), tf.ones<tf.Rank.R2>([64, 64])]
    const place = dataIdMap.get(a.dataId)
    const right = place.memoryOffset
    // From here on it is beyond the end of the heap.
    place.memoryOffset = 2 ** 32 - 2 ** 17
    expect(() => tf.matMul(a, b)).toThrow(BackendError)
    place.memoryOffset = right
    tf.dispose([a, b])
    const { device } = await useBackend('wasm')
    expect(device.name).toContain('3 threads')
    expect(await compute()).toHaveLength(4 * ((2 * 17 * 19 + 1) * 65 + 2 * 17 * 19 * 8 + 1))
  })

  test('are a whole number that the module can start, and fixed from the start on', async () => {
    for (const threads of [0, 9, 1.5, Number.NaN])
      await expect(useBackend('wasm', { threads })).rejects.toThrow(ArgumentError)
    await start(2)
    await expect(useBackend('wasm', { threads: 3 })).rejects.toThrow(/with a backend of 2 at work/)
    expect((await useBackend('wasm')).device.name).toContain('2 threads')
  })
})
