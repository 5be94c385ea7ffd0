import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { contextOrigins, contextRows, joinContexts, valueAndGradients } from '../../src/core/index.js'
import { promptMemory, type UNetParameters, unet, unetShapes } from '../../src/models/index.js'
import { frugalDenoiser } from '../../src/models/stable-diffusion/denoise.js'
import { parameterTree } from '../../src/nn/index.js'
import { attentiveUnet as config } from '../support/attentive-unet.js'
import { hashUniform, hashWeights } from '../support/name-hash.js'

const crossAttentions = 2 + 1 + 4

const context = (name: string, rows: number) =>
  tf.tensor3d(Float32Array.from(hashUniform(name, rows * 30)), [rows, 5, 6])

test('the network answers as without a memory, whichever of the rows are remembered, and computes those once', async () => {
  const weights = hashWeights(unetShapes(config))
  const parameters = parameterTree<UNetParameters>(weights)
  const [pair, single, strange] = [context('pair', 2), context('single', 1), context('strange', 1)]
  const before = tf.memory().numTensors
  const memory = promptMemory()
  const prepared = [memory.prepare(pair), memory.prepare(single)]
  const rowsOf: readonly (() => tf.Tensor3D)[] = [
    () => joinContexts([pair]),
    () => joinContexts([single, single]),
    () => joinContexts([contextRows(pair, 1, 1), strange, contextRows(pair, 0, 1)]),
    () => contextRows(joinContexts([strange, pair, single]), 1, 3),
    () => joinContexts([strange, strange]),
  ]
  for (const rows of rowsOf) {
    const [found, wanted] = tf.tidy(() => {
      const all = rows()
      const x = tf.ones<tf.Rank.R4>([all.shape[0], 8, 8, 4])
      const plain = unet(parameters, config, x, { timestep: 7, context: all })
      return [unet(parameters, config, x, { timestep: 7, context: all, memory }), plain]
    })
    const [a, b] = [await found.data(), await wanted.data()]
    for (let i = 0; i < b.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-5)
    tf.dispose([found, wanted])
  }
  // Two tensors for every cross-attention and context, and no more however often it was asked.
  expect(tf.memory().numTensors - before).toBe(2 * 2 * crossAttentions)
  for (const one of prepared) one.dispose()
  for (const one of prepared) one.dispose()
  expect(tf.memory().numTensors).toBe(before)
  expect(memory.recall({} as never, pair)).toBeUndefined()
  tf.dispose([...weights.values(), pair, single, strange])
})

test('rows know where they come from, however they were cut and joined', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 6 }), (picks) => {
      const sources = [1, 2, 3].map((rows) => context(`source ${rows}`, rows))
      const joined = tf.tidy(() => {
        const some = picks.map(([source, row]) => contextRows(sources[source]!, Math.min(row, source), 1))
        return contextRows(joinContexts([sources[2]!, ...some]), 2, 1 + some.length)
      })
      const wanted = [[2, 2], ...picks.map(([source, row]) => [source, Math.min(row, source)])]
      const found = contextOrigins(joined).map(({ source, row }) => [sources.indexOf(source), row])
      expect(found).toEqual(wanted)
      tf.dispose([joined, ...sources])
    }),
  )
})

test('a gradient by the context does not go by what is remembered', async () => {
  const weights = hashWeights(unetShapes(config))
  const denoise = frugalDenoiser(parameterTree<UNetParameters>(weights), config)
  const [prompt, x] = [context('prompt', 1), tf.ones<tf.Rank.R4>([1, 8, 8, 4])]
  const loss = (c: tf.Tensor) => tf.sum(tf.square(denoise(x, 9, c as tf.Tensor3D))) as tf.Scalar
  const plain = valueAndGradients(loss, [prompt])
  const prepared = denoise.prepare!(prompt)
  denoise(x, 9, prompt).dispose()
  const beside = valueAndGradients(loss, [prompt])
  expect([...(await beside.gradients[0]!.data())]).toEqual([...(await plain.gradients[0]!.data())])
  prepared.dispose()
  tf.dispose([
    plain.value,
    beside.value,
    ...plain.gradients,
    ...beside.gradients,
    prompt,
    x,
    ...weights.values(),
  ])
})
