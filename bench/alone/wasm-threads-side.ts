/**
 * One side of `wasm-threads.ts`: `digest` is answered by one of the output, `run` by the seconds of an evaluation, `peak` by
 * bytes.
 */
import { createHash } from 'node:crypto'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { torchRandn } from 'contrafact/core'
import { loadStableDiffusion } from 'contrafact/models'
import { peakBytes } from '../peak.js'
import { secondsOf, shippedModel } from './alone.js'

// V8 compiles the hot paths over the first evaluations; an edit takes 140 of them.
const [warmUp, evaluations] = [40, 8]

await useBackend('wasm', { threads: Number(process.argv[2]) })
const model = await loadStableDiffusion(shippedModel)
const context = model.encodePrompts(['', 'Chest X-ray with cardiomegaly'])
const x = tf.tensor4d(torchRandn(1).normal(2 * 16 * 16 * 4), [2, 16, 16, 4])
const denoise = () => model.denoise(x, 500, context)
for (let i = 0; i < warmUp; i++) denoise().dispose()

process.on('message', async (order) => {
  if (order === 'run') {
    const seconds: number[] = []
    for (let i = 0; i < evaluations; i++) seconds.push(await secondsOf(() => denoise().dispose()))
    process.send!(Math.min(...seconds))
    return
  }
  if (order === 'peak') return process.send!(peakBytes())
  const output = denoise()
  const bytes = new Uint8Array((await output.data()).slice().buffer)
  output.dispose()
  process.send!(createHash('sha256').update(bytes).digest('hex'))
})
