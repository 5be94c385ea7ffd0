import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { writeImage } from '../../src/image/index.js'
import type { EditRecord, LanceRunOptions, Perturber } from '../../src/lance/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { toyModel } from '../inversion/toy-model.js'
import { heartAndLine, perturbation, perturbations, toyEmbedder } from './toys.js'

/** Edits of every kind: kept, stopped, of one name, to one caption, and one that changes nothing. */
export const perturbToy: Perturber = () => [
  ...perturbations,
  perturbation(heartAndLine, 'heart and line b', { inserted: ['b'] }, 'adjective'),
  {
    ...perturbation(heartAndLine, 'heart and c', { replaced: [['line', 'c']] }),
    intervention: { attribute: 'line', from: true, to: false },
  },
  {
    ...perturbation(heartAndLine, 'heart and d', { replaced: [['line', 'd']] }),
    intervention: { attribute: 'line', from: true, to: false },
  },
  perturbation(heartAndLine, 'heart and lungs', { replaced: [['line', 'lungs']] }, 'twin'),
  perturbation(heartAndLine, heartAndLine, {}, 'nothing'),
]

/** A run on the toy model: fast, with a model under test, and batches of two edits. */
export function toyRun(images: string, out: string): LanceRunOptions {
  return {
    ...{ model: toyModel(), images, out, perturb: perturbToy, embedder: toyEmbedder },
    caption: () => heartAndLine,
    gates: [
      { gate: 'image-image', min: -1 },
      { gate: 'not the letter b', judge: ({ perturbation: { target } }) => !target.endsWith('b') },
    ],
    underTest: async (pictures) => {
      const levels = tf.tidy(() => pictures.mean([1, 2]))
      const values = (await levels.array()) as number[][]
      levels.dispose()
      return values.map(([red, green]) => ({ red: red!, green: green! }))
    },
    edit: { scheduler: ddim({ steps: 4 }), guidance: 3, rows: 5 },
    read: {},
    names: { model: 'toy', caption: 'constant', perturb: 'by hand', embedder: 'halves', underTest: 'levels' },
  }
}

/** Writes pictures that the toy autoencoder keeps, and one file that is no picture. */
export async function toyFolder(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (let n = 0; n < count; n++) {
    const image = tf.tidy(() => {
      const tones = tf.tensor(
        Array.from({ length: 48 }, (_, i) => 0.5 + 0.4 * Math.sin(i * 0.7 + n)),
        [1, 4, 1, 4, 1, 3],
      )
      return tones.tile([1, 1, 8, 1, 8, 1]).reshape<tf.Tensor4D>([1, 32, 32, 3])
    })
    await writeImage(join(folder, `picture-${n}.png`), image)
    image.dispose()
  }
  writeFileSync(join(folder, 'broken.png'), 'no picture')
  writeFileSync(join(folder, 'notes.txt'), 'not looked at')
}

/** Records as one string a line, to be compared to the last digit. */
export const lines = (records: readonly EditRecord[]) => records.map((record) => JSON.stringify(record))
