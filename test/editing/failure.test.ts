import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it } from 'vitest'
import { useBackend } from '../../src/backend/index.js'
import {
  BackendError,
  type ContrafactError,
  type Denoiser,
  MemoryBudgetError,
  memoryBudget,
  setMemoryBudget,
} from '../../src/core/index.js'
import { disposeInversion, type Inversion } from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { inverters } from '../inversion/inverters.js'
import { difference, toyDenoiser, toyImage, toyModel } from '../inversion/toy-model.js'
import { trapWasm } from '../support/trap-wasm.js'
import { editors } from './editors.js'

const scheduler = ddim({ steps: 4 })
const source = 'heart and line'
const isWasm = (process.env.CONTRAFACT_BACKEND ?? 'wasm') === 'wasm'

interface Failure {
  readonly name: string
  readonly error: new (...of: never[]) => ContrafactError
  /** From now on nothing can be computed. */
  readonly begin: () => void
  /** And now it can. */
  readonly mend: () => Promise<unknown>
}

let budget: number | undefined
const outOfMemory: Failure = {
  name: 'memory is short',
  error: MemoryBudgetError,
  begin: () => {
    budget ??= memoryBudget()
    setMemoryBudget(1)
  },
  mend: async () => {
    if (budget !== undefined) setMemoryBudget(budget)
    budget = undefined
  },
}
const lostBackend: Failure = {
  name: 'the backend is lost',
  error: BackendError,
  begin: trapWasm,
  mend: () => useBackend('wasm'),
}
// Only wasm can be made to trap from outside.
const failures = isWasm ? [outOfMemory, lostBackend] : [outOfMemory]
afterEach(outOfMemory.mend)

// A network before whose k-th call it happens.
function failing(at: number, begin: () => void): Denoiser {
  const denoise = toyDenoiser()
  let calls = 0
  return (...call) => {
    if (++calls === at) begin()
    return denoise(...call)
  }
}

describe.each(failures)('when $name half-way', ({ error, begin, mend }) => {
  it.each(Object.entries(inverters))('%s says so, frees everything, and goes on', async (_, invert) => {
    const image = toyImage()
    const before = tf.memory().numTensors
    for (const at of [1, 3, 6]) {
      const run = invert(toyModel(failing(at, begin)), image, { prompt: source, scheduler })
      // Some inverters are done before the sixth call.
      const done = await run.then(disposeInversion, (failure: unknown) => failure)
      if (at < 6 || done !== undefined) expect(done).toBeInstanceOf(error)
      await mend()
      expect(tf.memory().numTensors).toBe(before)
      if (isWasm && error === BackendError) break // the picture went with the backend
    }
    image.dispose()
    const fresh = toyImage()
    const path = await invert(toyModel(), fresh, { prompt: source, scheduler })
    expect(path.steps).toHaveLength(4)
    fresh.dispose()
    disposeInversion(path)
  })

  it.each(Object.entries(editors))('%s says so, frees everything, and goes on', async (_, edit) => {
    const inverted = async (): Promise<Inversion> => {
      const image = toyImage()
      const path = await inverters.pivotPinned(toyModel(), image, { prompt: source, scheduler })
      image.dispose()
      return path
    }
    let path = await inverted()
    const whole = await edit(toyModel(), path, 'lungs and line')
    const wanted = toyValues(whole.image)
    tf.dispose([whole.image, whole.latents])
    const before = tf.memory().numTensors
    await expect(edit(toyModel(failing(3, begin)), path, 'lungs and line')).rejects.toBeInstanceOf(error)
    expect(tf.memory().numTensors).toBe(before)
    await mend()
    if (error === BackendError) {
      disposeInversion(path)
      path = await inverted()
    }
    const again = await edit(toyModel(), path, 'lungs and line')
    const other = tf.tensor(wanted, again.image.shape) as tf.Tensor4D
    expect(difference(again.image, other)).toBe(0)
    tf.dispose([again.image, again.latents, other])
    disposeInversion(path)
  })
})

const toyValues = (t: tf.Tensor): Float32Array => t.dataSync().slice() as Float32Array
