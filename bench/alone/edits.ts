import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { promptToPrompt, promptToPromptMany } from 'contrafact/editing'
import { pivotPinned } from 'contrafact/inversion'
import { loadStableDiffusion } from 'contrafact/models'
import { ddim } from 'contrafact/schedulers'
import { peakBytes } from '../peak.js'
import { type AloneOptions, type AloneResult, median, secondsOf, shippedModel, spreadOf } from './alone.js'

const steps = 10
const source = 'chest x-ray of a woman with cardiomegaly and support devices'
const prompts = [
  'chest x-ray of a woman with no cardiomegaly and support devices',
  'chest x-ray of a woman with cardiomegaly and no support devices',
  'chest x-ray of a man with cardiomegaly and support devices',
  'chest x-ray of a woman with cardiomegaly and pleural effusion',
]

/**
 * Four edits of one picture in one run, which share the inversion and the source's branch, beside four single edits,
 * each with an inversion of its own. Both give the same pictures, which is checked before anything is timed.
 */
export async function edits({ backend, runs }: AloneOptions): Promise<AloneResult> {
  const chosen = await useBackend(backend as 'wasm')
  const model = await loadStableDiffusion(shippedModel)
  const [height, width] = model.geometry!.size
  const image = tf.tidy(() => tf.randomUniform<tf.Rank.R4>([1, height, width, 3], 0, 1, 'float32', 1))
  const scheduler = ddim({ steps })
  const invert = () => pivotPinned(model, image, { prompt: source, scheduler })
  let evaluations = { together: 0, apart: 0 }

  const together = async (): Promise<tf.Tensor4D[]> => {
    const path = await invert()
    const result = await promptToPromptMany(model, path, { edits: prompts.map((prompt) => ({ prompt })) })
    evaluations = { ...evaluations, together: path.evaluations + result.evaluations }
    disposeInversion(path)
    for (const { latents } of result.edits) latents.dispose()
    return result.edits.map((edit) => edit.image)
  }
  const apart = async (): Promise<tf.Tensor4D[]> => {
    const images: tf.Tensor4D[] = []
    let total = 0
    for (const prompt of prompts) {
      const path = await invert()
      const edit = await promptToPrompt(model, path, { prompt })
      total += path.evaluations + edit.evaluations
      disposeInversion(path)
      edit.latents.dispose()
      images.push(edit.image)
    }
    evaluations = { ...evaluations, apart: total }
    return images
  }

  const [a, b] = [await together(), await apart()]
  const maxAbsDifference = tf.tidy(() =>
    Math.max(...a.map((one, i) => one.sub(b[i]!).abs().max().dataSync()[0]!)),
  )
  tf.dispose([a, b])
  if (!(maxAbsDifference <= 1e-3))
    throw new Error(`the pictures differ by ${maxAbsDifference}: nothing is timed`)
  const pairs: { together: number; apart: number }[] = []
  for (let i = 0; i < runs; i++) {
    const time = (work: () => Promise<tf.Tensor4D[]>) => secondsOf(async () => tf.dispose(await work()))
    pairs.push({ together: await time(together), apart: await time(apart) })
  }
  const ratios = pairs.map((pair) => pair.together / pair.apart)
  image.dispose()
  model.dispose()
  return {
    name: 'edits',
    backend: chosen.backend,
    shape: `4 edits, ${steps} steps, ${height}×${width} pixels`,
    measure: 'time of four edits together over four single ones',
    seconds: median(pairs.map((pair) => pair.together)),
    secondsApart: median(pairs.map((pair) => pair.apart)),
    evaluations,
    ratio: median(ratios),
    spread: spreadOf(ratios),
    peakBytes: peakBytes(),
    maxAbsDifference,
    must: 'at most 0.7',
    met: median(ratios) <= 0.7,
  }
}

function disposeInversion({ start, clean, steps: path }: Awaited<ReturnType<typeof pivotPinned>>): void {
  tf.dispose([start, clean, ...path.map(({ pivot }) => pivot!)])
}
