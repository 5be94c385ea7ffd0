import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, test } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import { BackendError } from '../../src/core/index.js'

describe.runIf(process.env.CONTRAFACT_BACKEND === 'webgpu')('the webgpu backend', () => {
  afterEach(async () => {
    await useBackend('webgpu')
  })

  test('names its device', async () => {
    const { device } = await useBackend('webgpu')
    expect(device.name).toMatch(/\w/)
  })

  test.each([1, 2, 7, 8, 13, 14, 100])('sums %i tensors, more than a shader has buffers', async (n) => {
    const sum = tf.tidy(() => tf.addN(Array.from({ length: n }, (_, i) => tf.fill([3], i))))
    expect([...(await sum.data())]).toEqual(new Array(3).fill((n * (n - 1)) / 2))
    sum.dispose()
  })

  test.each([1, 7, 8, 9, 30])('joins %i tensors', async (n) => {
    const joined = tf.tidy(() => tf.concat(Array.from({ length: n }, (_, i) => tf.fill([2], i))))
    expect(await joined.data()).toEqual(Float32Array.from({ length: 2 * n }, (_, i) => Math.floor(i / 2)))
    joined.dispose()
  })

  test.each(['int32', 'bool'] as const)('transposes %s', async (dtype) => {
    const turned = tf.tidy(() => tf.transpose(tf.tensor2d([0, 1, 1, 0, 0, 1], [2, 3], dtype)))
    expect(turned.dtype).toBe(dtype)
    expect([...(await turned.data())]).toEqual([0, 0, 1, 0, 1, 1])
    turned.dispose()
  })

  test('whose device is lost is an error, and a fresh backend after useBackend', async () => {
    const lost = tf.ones([3])
    const { device } = tf.backend() as unknown as { device: { destroy(): void; lost: Promise<unknown> } }
    device.destroy()
    await device.lost
    expect(() => tf.add(lost, 1)).toThrow(BackendError)
    await expect(lost.data()).rejects.toThrow(/Call useBackend\(\) again/)
    lost.dispose()
    await useBackend('webgpu')
    const two = tf.tidy(() => tf.add(tf.ones([1]), 1))
    expect((await two.data())[0]).toBe(2)
    two.dispose()
  })
})
