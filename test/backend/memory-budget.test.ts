import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import {
  ArgumentError,
  BackendError,
  expectMemory,
  formatBytes,
  hasOwnKernel,
  MemoryBudgetError,
  memoryBudget,
  setMemoryBudget,
} from '../../src/core/index.js'
import { attention } from '../../src/nn/index.js'
import { trapWasm } from '../support/trap-wasm.js'

const backend = (process.env.CONTRAFACT_BACKEND ?? 'wasm') as 'wasm'
const mebi = 2 ** 20

afterEach(async () => {
  await useBackend(backend)
})

describe('a memory budget', () => {
  test('is enforced before allocation, and what was refused leaves nothing behind', async () => {
    await useBackend(backend, { memoryBudget: tf.memory().numBytes + 64 * mebi })
    const before = tf.memory().numBytes
    const x = tf.zeros([4 * mebi])
    expect(() => tf.tidy(() => [1, 2, 3, 4, 5].map((i) => tf.fill([4 * mebi], i)))).toThrow(MemoryBudgetError)
    x.dispose()
    expect(tf.memory().numBytes).toBe(before)
    const first = tf.tidy(() => tf.slice(tf.add(tf.fill([4 * mebi], 1), 1), 0, 1))
    expect((await first.data())[0]).toBe(2)
    first.dispose()
  })

  test('refuses a single block that can never fit, and names both sizes', async () => {
    await useBackend(backend, { memoryBudget: tf.memory().numBytes + mebi })
    expect(() => tf.fill([mebi], 1)).toThrow(/budget.*4\.0 MiB/s)
  })

  test('too small for one block of attention is an error, and the work fits where the block does', async () => {
    const input = () => tf.ones<tf.Rank.R3>([1, 512, 8])
    const [q, k, v] = [input(), input(), input()]
    const before = tf.memory()
    // The scores are 1 MiB, their probabilities another; a kernel of the library's own has them in the cache, and needs the
    // 16 KiB of the result.
    const tooLittle = hasOwnKernel('Attention') ? 2 ** 13 : mebi / 2
    await useBackend(backend, { memoryBudget: before.numBytes + tooLittle })
    for (const run of [
      () => attention(q, k, v, 1),
      () => tf.grad((t) => attention(t as tf.Tensor3D, k, v, 1))(q),
    ]) {
      expect(() => run()).toThrow(MemoryBudgetError)
      expect(tf.memory().numTensors).toBe(before.numTensors)
    }
    await useBackend(backend)
    const mixed = attention(q, k, v, 1)
    expect((await mixed.data())[0]).toBeCloseTo(1, 5)
    tf.dispose([q, k, v, mixed])
  })

  test('is a positive number', async () => {
    for (const memoryBudget of [0, -1, Number.NaN]) {
      await expect(useBackend(backend, { memoryBudget })).rejects.toThrow(ArgumentError)
    }
  })

  test('can be asked before any work: the sum decides, not the part', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (budget, need) => {
          setMemoryBudget(budget)
          expect(memoryBudget()).toBe(budget)
          const ask = () => expectMemory(need, 'a test')
          if (tf.memory().numBytes + need <= budget) expect(ask).not.toThrow()
          else expect(ask).toThrow(MemoryBudgetError)
        },
      ),
    )
  })

  test('is told in units that a person reads', () => {
    expect([0, 512, 1536, 4 * 2 ** 30, 200 * mebi, Number.POSITIVE_INFINITY].map(formatBytes)).toEqual([
      '0 B',
      '512 B',
      '1.5 KiB',
      '4.0 GiB',
      '200 MiB',
      'no limit',
    ])
  })
})

describe.runIf(backend === 'wasm')('the wasm heap', () => {
  // Written without values, a tensor takes address space and touches no page.
  const blank = (elements: number) =>
    tf
      .engine()
      .makeTensorFromDataId(tf.backend().write(null as never, [elements], 'float32'), [elements], 'float32')

  test('is filled to its end without a wrong number: an error first, then right results', async () => {
    const witness = tf.range(0, 1000)
    const held: tf.Tensor[] = []
    const fill = () => {
      for (;;) held.push(blank(64 * mebi))
    }
    expect(fill).toThrow(MemoryBudgetError)
    expect(held.length).toBeGreaterThan(12) // of the 16 quarters of a GiB
    for (let size = 16 * mebi; size >= 2 ** 12; size /= 2) {
      try {
        for (;;) held.push(blank(size))
      } catch (error) {
        expect(error).toBeInstanceOf(MemoryBudgetError)
      }
    }
    // The packed copy of a filter is refused too, not skipped.
    const [x, filter] = [held.pop()!, held.pop()!]
    tf.dispose([x, filter])
    expect(() => tf.tidy(() => tf.matMul(tf.ones([1, 1024]), tf.ones([1024, 1024])))).toThrow(
      MemoryBudgetError,
    )
    expect(await witness.data()).toEqual(Float32Array.from({ length: 1000 }, (_, i) => i))
    tf.dispose(held)
    const sum = tf.tidy(() => tf.matMul(tf.ones([1, 1024]), tf.ones([1024, 1024])).mean())
    expect((await sum.data())[0]).toBe(1024)
    tf.dispose([witness, sum])
  }, 60_000)

  test('gives up the packed copies of weights before it refuses anything', async () => {
    tf.removeBackend('wasm')
    await useBackend('wasm')
    const [x, weight] = [tf.ones<tf.Rank.R2>([8, 512]), tf.fill([512, 512], 2) as tf.Tensor2D]
    const product = async () => {
      const y = tf.matMul(x, weight)
      expect(new Set(await y.data())).toEqual(new Set([1024]))
      y.dispose()
    }
    // One copy for a single use, and one that is kept.
    for (let time = 0; time < 3; time++) await product()
    await useBackend('wasm', { memoryBudget: tf.memory().numBytes + 2.5 * mebi })
    const another = tf.ones([mebi / 4])
    expect(() => tf.ones([mebi / 2])).toThrow(MemoryBudgetError)
    await useBackend('wasm')
    await product()
    tf.dispose([x, weight, another])
  })

  test('refuses what XNNPACK would pack out of sight, for the convolutions that are left to it', async () => {
    tf.removeBackend('wasm')
    await useBackend('wasm')
    const [x, filter] = [tf.ones<tf.Rank.R4>([1, 3, 3, 256]), tf.ones<tf.Rank.R4>([3, 3, 256, 256])]
    const uneven = () => tf.conv2d(x, filter, [1, 2], 'valid')
    await useBackend('wasm', { memoryBudget: tf.memory().numBytes + 1.5 * mebi })
    expect(uneven).toThrow(MemoryBudgetError)
    await useBackend('wasm')
    const y = uneven()
    expect(new Set(await y.data())).toEqual(new Set([9 * 256]))
    tf.dispose([x, filter, y])
  })

  test('refuses a tensor whose size does not fit 32 bits', () => {
    expect(() => tf.backend().write(null as never, [2 ** 30 + 4], 'float32')).toThrow(MemoryBudgetError)
  })

  test('that traps is an error once, and a fresh backend after useBackend', async () => {
    const lostTensor = tf.ones([3])
    trapWasm()
    expect(() => tf.add(lostTensor, 1)).toThrow(BackendError)
    expect(() => tf.add(lostTensor, 1)).toThrow(/Call useBackend\(\) again/)
    lostTensor.dispose()
    await useBackend('wasm')
    const two = tf.tidy(() => tf.add(tf.ones([1]), 1))
    expect((await two.data())[0]).toBe(2)
    two.dispose()
  })
})
