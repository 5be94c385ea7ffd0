import * as tf from '@tensorflow/tfjs'
import type { Embedder } from 'contrafact/lance'
import { type Detection, detectImages } from './detectors.js'

/** The axes, each -1 (absent, male, 20 years) to 1 (present, female, 90 years); 0 is "nobody said". */
const axes = ['cardiomegaly', 'pleural effusion', 'support devices', 'female', 'age'] as const

/**
 * Phantoms and their captions in one space of five named axes. It is no learnt embedding: pictures are placed by the
 * phantom detectors, captions by the words that they tell and deny. It stands where CLIP would for photographs, and
 * knows nothing but phantoms.
 */
export const attributeSpace: Embedder = {
  async embedImages(images) {
    return tf.tensor2d((await detectImages(images)).map(placeOfPicture))
  },
  embedTexts: (texts) => tf.tensor2d(texts.map(placeOfText)),
}

function placeOfPicture({ cardiomegaly, effusion, pacemaker, line, female, age }: Detection): number[] {
  const signs = [cardiomegaly, effusion, Math.max(pacemaker, line), female]
  return [...signs.map((score) => 2 * score - 1), placeOfAge(age)]
}

/** Where a caption, or a few of its words, lies: what it tells is 1, what it denies -1, what it leaves out 0. */
export function placeOfText(text: string): number[] {
  const words = text.toLowerCase()
  const years = /(\d+)[- ]years?/.exec(words)?.[1]
  const none = /no (significant )?findings?/.test(words)
  return axes.map((axis) => {
    if (axis === 'age') return years === undefined ? 0 : placeOfAge(Number(years))
    if (axis === 'female') return /\bfemale\b/.test(words) ? 1 : /\bmale\b/.test(words) ? -1 : 0
    if (!words.includes(axis)) return none ? -1 : 0
    return new RegExp(`\\b(no|without)\\s+${axis}`).test(words) ? -1 : 1
  })
}

const placeOfAge = (years: number) => (years - 55) / 35
