import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { type BackendName, useBackend } from '../src/backend/index.js'

// The suite runs on wasm; CONTRAFACT_BACKEND=tensorflow runs the same suite there.
beforeAll(async () => {
  await useBackend((process.env.CONTRAFACT_BACKEND ?? 'wasm') as BackendName)
})

// Every test that leaves a tensor behind fails, not only those that look for leaks.
let before = 0
beforeEach(() => {
  before = tf.memory().numTensors
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') return
  expect(tf.memory().numTensors - before, `tensors leaked by "${task.name}"`).toBe(0)
})
