/**
 * Trains the shipped model from nothing: `npm run train:phantom -- [--steps 2000] [--work out/phantom]`.
 * Resumes where it stopped. Writes the model folder, its settings and its curves to `examples/phantom/model`.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact/backend'
import { writeJson } from 'contrafact/checkpoint'
import type { Progress } from 'contrafact/core'
import {
  type AutoencoderParameters,
  autoencoderConfig,
  encodeMean,
  saveStableDiffusion,
  schedulerConfig,
} from 'contrafact/models'
import { parameterTree } from 'contrafact/nn'
import { splitParameters } from 'contrafact/training'
import { schedulerConfigJson, vaeConfig } from './configs.js'
import { phantomBatch } from './dataset.js'
import {
  diffusionSettings,
  phantomDiffusion,
  type RatioPoint,
  scalingFactor,
  trainDiffusion,
  trainingLatents,
} from './train-diffusion.js'
import { trainVae, vaeSettings } from './train-vae.js'
import { phantomTokenizer } from './vocabulary.js'

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000' },
    work: { type: 'string', default: 'out/phantom' },
    out: { type: 'string', default: join(import.meta.dirname, 'model') },
  },
})
const steps = Number(values.steps)
const work = (file: string) => join(values.work, file)
const started = Date.now()

function report({ stage, done, total, loss }: Progress): void {
  if (done % 20 !== 0 && done !== total) return
  const minutes = ((Date.now() - started) / 60_000).toFixed(1)
  console.log(
    `${minutes} min  ${stage}  ${done}/${total}${loss === undefined ? '' : `  loss ${loss.toFixed(5)}`}`,
  )
}

const { backend } = await useBackend()
console.log(`backend ${backend}`)
const options = { onProgress: report }
const config = autoencoderConfig(vaeConfig)
const vae = await trainVae(work('vae.safetensors'), options)
const latents = await trainingLatents(work('latents.safetensors'), config, vae.average, options)
const factor = await scalingFactor(latents)
const scaled = tf.mul<tf.Tensor4D>(latents, factor)
latents.dispose()

const held = phantomBatch(
  Array.from({ length: 48 }, (_, i) => i),
  { split: 'held-out' },
)
const heldLatents = tf.tidy(() => {
  const pixels = tf.sub<tf.Tensor4D>(tf.mul(tf.tensor4d(held.images, [...held.shape]), 2), 1)
  return tf.mul<tf.Tensor4D>(
    encodeMean(parameterTree<AutoencoderParameters>(vae.average), config, pixels),
    factor,
  )
})

const model = phantomDiffusion()
const ratios: RatioPoint[] = []
const onRatio = (point: RatioPoint) => {
  ratios.push(point)
  console.log(`step ${point.step}: conditional over unconditional loss at t = 800: ${point.ratio.toFixed(3)}`)
}
const heldOut = { latents: heldLatents, captions: held.captions }
const diffusion = await trainDiffusion(
  work('diffusion.safetensors'),
  model,
  scaled,
  heldOut,
  steps,
  onRatio,
  options,
)

await saveStableDiffusion(
  values.out,
  {
    configs: {
      unet: model.unet,
      vae: autoencoderConfig({ ...vaeConfig, scaling_factor: factor }),
      text: model.text,
      scheduler: schedulerConfig(schedulerConfigJson),
    },
    weights: {
      unet: splitParameters(diffusion.average, 'unet'),
      vae: vae.average,
      text: splitParameters(diffusion.average, 'text_encoder'),
    },
  },
  { dtype: 'f16', tokenizer: phantomTokenizer().files },
)
await writeJson(join(values.out, 'training.json'), {
  command: `npm run train:phantom -- --steps ${steps}`,
  backend,
  vae: { settings: vaeSettings, loss: everyTenth(vae.curve.map(({ loss }) => loss)) },
  diffusion: {
    settings: { ...diffusionSettings, steps },
    loss: everyTenth(diffusion.curve.map(({ loss }) => loss)),
    conditioningRatio: ratios,
  },
})
console.log(`wrote ${values.out}`)

/** Means of ten steps each, to five digits. */
function everyTenth(curve: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(curve.length / 10) }, (_, i) => {
    const ten = curve.slice(10 * i, 10 * i + 10)
    return Number((ten.reduce((a, b) => a + b, 0) / ten.length).toPrecision(5))
  })
}
