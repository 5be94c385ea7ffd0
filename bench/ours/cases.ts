import * as tf from '@tensorflow/tfjs'
import { loadTensors, openWeights } from 'contrafact/checkpoint'
import { valueAndGradients } from 'contrafact/core'
import { classifierFree } from 'contrafact/guidance'
import {
  type AutoencoderParameters,
  autoencoderConfig,
  autoencoderShapes,
  decode,
  encode,
  encodeText,
  loadStableDiffusion,
  type TextEncoderParameters,
  textEncoderConfig,
  textEncoderShapes,
  type UNetParameters,
  unet,
  unetConfig,
  unetShapes,
} from 'contrafact/models'
import { ddim } from 'contrafact/schedulers'
import { adamStart, adamStep, disposeAdam } from '../../src/inversion/adam.js'
import type { Case, Prepared } from '../case.js'
import { configOf, loadComponent, readInput } from './model.js'

/** Runs `make` and waits until its values are there. */
async function timed(make: () => tf.Tensor): Promise<void> {
  const y = tf.tidy(make)
  await y.data()
  y.dispose()
}
async function valuesOf(make: () => tf.Tensor): Promise<Float32Array> {
  const y = tf.tidy(make)
  const values = (await y.data()) as Float32Array
  y.dispose()
  return values
}
const both = (make: () => tf.Tensor): Prepared => ({ run: () => timed(make), output: () => valuesOf(make) })

const timestep = 501

async function loadUnet({ folder, recompute = false }: Case) {
  const config = unetConfig(await configOf(folder, 'unet'))
  const parameters = await loadComponent<UNetParameters>(folder, 'unet', unetShapes(config))
  return (x: tf.Tensor4D, context: tf.Tensor3D) =>
    unet(parameters, config, x, { timestep, context, recompute })
}

const input = <R extends tf.Rank>(of: Case, name: string) =>
  readInput<R>(of.inputs[name]!.path, of.inputs[name]!.shape as tf.ShapeMap[R])

// Of every parameter, by component and name: what was read, wherever a layout puts it.
async function largestOfEach(folder: string): Promise<Float32Array> {
  const all: number[] = []
  for (const component of ['unet', 'vae', 'text_encoder']) {
    const weights = await openWeights(folder, component)
    const shapes = new Map(weights.names.map((name) => [name, weights.shape(name)!]))
    const largest = new Map<string, number>()
    for await (const { name, tensor } of loadTensors(weights, shapes)) {
      largest.set(
        name,
        tf.tidy(() => tf.max(tensor).dataSync()[0]!),
      )
      tensor.dispose()
    }
    for (const name of [...largest.keys()].sort()) all.push(largest.get(name)!)
    await weights.close()
  }
  return Float32Array.from(all)
}

/** Our side of every bench, by name. */
export const cases: Readonly<Record<string, (of: Case) => Promise<Prepared>>> = {
  unet: async (of) => {
    const denoise = await loadUnet(of)
    const [x, context] = [await input<tf.Rank.R4>(of, 'x'), await input<tf.Rank.R3>(of, 'context')]
    return both(() => denoise(x, context))
  },

  'null-text': async (of) => {
    const denoise = await loadUnet(of)
    const [x, context] = [await input<tf.Rank.R4>(of, 'x'), await input<tf.Rank.R3>(of, 'context')]
    const [pivot, conditional] = [
      await input<tf.Rank.R4>(of, 'pivot'),
      await input<tf.Rank.R4>(of, 'conditional'),
    ]
    const scheduler = ddim({ steps: 50 })
    const index = scheduler.timesteps.indexOf(timestep)
    const loss = (embedding: tf.Tensor) => {
      const output = classifierFree(denoise(x, embedding as tf.Tensor3D), conditional, 7.5)
      return scheduler.step({ x, output, index }).x.sub(pivot).square().mean() as tf.Scalar
    }
    const step = async () => {
      const start = adamStart(context)
      const { value, gradients } = valueAndGradients(loss, [start.parameter])
      const next = adamStep(start, gradients[0] as tf.Tensor3D, 1e-2)
      const embedding = (await next.parameter.data()) as Float32Array
      tf.dispose([value, ...gradients])
      disposeAdam(start)
      disposeAdam(next)
      return embedding
    }
    return { run: async () => void (await step()), output: step }
  },

  'vae-encode': async (of) => {
    const config = autoencoderConfig(await configOf(of.folder, 'vae'))
    const parameters = await loadComponent<AutoencoderParameters>(of.folder, 'vae', autoencoderShapes(config))
    const x = await input<tf.Rank.R4>(of, 'image')
    return both(() => encode(parameters, config, x).mean)
  },

  'vae-decode': async (of) => {
    const config = autoencoderConfig(await configOf(of.folder, 'vae'))
    const parameters = await loadComponent<AutoencoderParameters>(of.folder, 'vae', autoencoderShapes(config))
    const x = await input<tf.Rank.R4>(of, 'latents')
    return both(() => decode(parameters, config, x))
  },

  clip: async (of) => {
    const config = textEncoderConfig(await configOf(of.folder, 'text_encoder'))
    const { text_model } = await loadComponent<{ text_model: TextEncoderParameters }>(
      of.folder,
      'text_encoder',
      textEncoderShapes(config),
    )
    const ids = await input<tf.Rank.R2>(of, 'ids')
    const rows = (await ids.array()) as number[][]
    return both(() => encodeText(text_model, config, rows))
  },

  load: async (of) => ({
    run: async () => (await loadStableDiffusion(of.folder)).dispose(),
    output: () => largestOfEach(of.folder),
  }),
}
