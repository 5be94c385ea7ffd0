import { expect, test } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import { MemoryBudgetError } from '../../src/core/index.js'
import { loadStableDiffusion } from '../../src/models/index.js'

test('a model that does not fit the budget is refused before a weight is read', async () => {
  const backend = (process.env.CONTRAFACT_BACKEND ?? 'wasm') as 'wasm'
  const folder = new URL('../../examples/phantom/model', import.meta.url).pathname
  const loaded: string[] = []
  const onProgress = ({ stage }: { stage: string }) => void loaded.push(stage)
  try {
    await useBackend(backend, { memoryBudget: 2 ** 20 })
    await expect(loadStableDiffusion(folder, { onProgress })).rejects.toThrow(MemoryBudgetError)
    expect(loaded).toEqual([])
  } finally {
    await useBackend(backend)
  }
})
