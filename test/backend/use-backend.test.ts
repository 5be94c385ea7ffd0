import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { candidates, explainStart, missingKernels, selfTest, useBackend } from '../../src/backend/index.js'
import { tensorOf } from '../../src/backend/tensor-of.js'
import { ArgumentError, BackendError } from '../../src/core/index.js'

const backend = (process.env.CONTRAFACT_BACKEND ?? 'wasm') as 'wasm' | 'tensorflow' | 'webgpu'

describe('useBackend', () => {
  test('says what runs, on what, and how much it may hold', async () => {
    const choice = await useBackend(backend)
    expect(choice.backend).toBe(backend)
    expect(tf.getBackend()).toBe(backend)
    expect(choice.device.version).toMatch(/^\d/)
    expect(choice.memoryBudget).toBeGreaterThan(2 ** 20)
    expect(choice.passedOver.every(({ why, mend }) => why && mend.includes('install'))).toBe(true)
  })

  test('can be called again and again; kernels are replaced once', async () => {
    await useBackend(backend)
    const kernels = new Map(tf.getKernelsForBackend(backend).map((one) => [one.kernelName, one.kernelFunc]))
    await useBackend(backend)
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend(backend))
      expect(kernelFunc).toBe(kernels.get(kernelName))
  })

  test('refuses the name of no backend', async () => {
    await expect(useBackend('cuda' as never)).rejects.toThrow(ArgumentError)
  })

  test('starts a backend that passes its own test, and lacks no kernel but Einsum', async () => {
    await useBackend(backend)
    await selfTest()
    expect(missingKernels().filter((name) => name !== 'Einsum')).toEqual([])
  })
})

describe('a self-test', () => {
  test('fails on a backend that computes wrong', async () => {
    const right = tf.getKernel('Conv2D', backend)
    tf.unregisterKernel('Conv2D', backend)
    const kernelFunc: tf.KernelFunc = (call) => tf.tidy(() => tf.mul(tensorOf(right.kernelFunc(call)), 0.5))
    tf.registerKernel({ ...right, kernelFunc })
    try {
      await expect(selfTest()).rejects.toThrow(BackendError)
    } finally {
      tf.unregisterKernel('Conv2D', backend)
      tf.registerKernel(right)
    }
  })
})

describe('why a backend does not start', () => {
  const [, addon, webgpu] = candidates as [unknown, (typeof candidates)[number], (typeof candidates)[number]]
  const module = (text: string) => Object.assign(new Error(text), { code: 'ERR_MODULE_NOT_FOUND' })

  test.each([
    [addon, module("Cannot find package '@tensorflow/tfjs-node' imported from x"), /^not installed$/],
    [addon, module("Cannot find module 'adm-zip'"), /needs adm-zip/],
    [addon, new Error('/x/tfjs_binding.node: invalid ELF header'), /addon is damaged .*ELF/],
    [addon, new Error('/x/tfjs_binding.node: file too short'), /addon is damaged/],
    [
      addon,
      new Error("The module 'x'\nNODE_MODULE_VERSION 93. This\nNODE_MODULE_VERSION 115."),
      /another version of Node/,
    ],
    [addon, new Error('libtensorflow.so.2: cannot open shared object file'), /TensorFlow library is missing/],
    [addon, new Error('tfjs_binding.node) can not be found at path: x'), /never built/],
    [webgpu, new Error('WebGPU finds no adapter'), /no adapter/],
    [addon, 'a string that was thrown\nwith lines', /^a string that was thrown$/],
  ] as const)('%#', (candidate, error, pattern) => {
    const { why, mend } = explainStart(candidate, error)
    expect(why).toMatch(pattern)
    expect(mend).toContain(candidate.install)
  })
})
