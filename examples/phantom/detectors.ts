import { readFileSync } from 'node:fs'
import type { Tensor4D } from '@tensorflow/tfjs'
import {
  angleFilling,
  aorticKnob,
  bodyWidth,
  generatorContrast,
  heartWidth,
  lineRidge,
  type Raster,
  raster,
  ribContrast,
} from './measurements.js'

/** What the detectors see in one picture. Scores are in (0, 1) with 0.5 between absent and present. */
export interface Detection {
  readonly cardiomegaly: number
  readonly effusion: number
  readonly pacemaker: number
  readonly line: number
  /** Score of female sex. */
  readonly female: number
  /** Estimate in years. */
  readonly age: number
  /** Estimate of the heart's width over the chest's inner width. */
  readonly cardiothoracicRatio: number
}

/** A score's name: what is present or absent. */
export type Sign = keyof typeof SIGNS

/** The measurement that each score stands on. */
export const SIGNS = {
  cardiomegaly: heartWidth,
  effusion: angleFilling,
  pacemaker: generatorContrast,
  line: lineRidge,
  female: bodyWidth,
} as const

/** What `fit-detectors.ts` learns: class means of each measurement, and two linear fits. */
export interface Calibration {
  readonly signs: Readonly<Record<Sign, { readonly absent: number; readonly present: number }>>
  /** Weights of the constant and of each of {@link ageFeatures}. */
  readonly age: readonly number[]
  /** Weights of the constant and of the heart's width. */
  readonly cardiothoracicRatio: readonly number[]
}

/** Signs of age: faint ribs and a large aortic knob, to the second order. */
export function ageFeatures(measured: Raster): number[] {
  const ribs = Math.log(Math.max(ribContrast(measured), 0.01))
  const [beside, below] = aorticKnob(measured)
  const knob = beside - below
  return [ribs, beside, below, ribs * ribs, knob * knob, ribs * knob]
}

const CALIBRATION: Calibration = JSON.parse(
  readFileSync(new URL('./detectors.json', import.meta.url), 'utf8'),
)

/**
 * Reads every attribute from a picture's pixels. It knows the average anatomy and nothing of the patient.
 *
 * Each score is logistic(8 (m - middle) / (present - absent)) of one measurement m, with the class means on
 * detector-split phantoms: 0.02 for a typical absence, 0.98 for a typical presence, and values between for
 * what is half there. The slope is a choice, gentler than the classes' overlap asks for, so that a change of
 * score follows a change of the picture.
 * @param grey brightness [size, size] in [0, 1], size a multiple of 64
 * @throws RangeError for other sizes
 */
export function detect(grey: Float32Array): Detection {
  const measured = raster(grey)
  const score = (sign: Sign) => {
    const { absent, present } = CALIBRATION.signs[sign]
    return 1 / (1 + Math.exp((-8 * (SIGNS[sign](measured) - (absent + present) / 2)) / (present - absent)))
  }
  return {
    cardiomegaly: score('cardiomegaly'),
    effusion: score('effusion'),
    pacemaker: score('pacemaker'),
    line: score('line'),
    female: score('female'),
    age: Math.min(Math.max(linear(CALIBRATION.age, ageFeatures(measured)), 20), 90),
    cardiothoracicRatio: linear(CALIBRATION.cardiothoracicRatio, [heartWidth(measured)]),
  }
}

/**
 * {@link detect} on each picture of a batch.
 * @param images [batch, size, size, channels] in [0, 1]; channels are averaged; borrowed
 */
export async function detectImages(images: Tensor4D): Promise<Detection[]> {
  const [batch, height, width, channels] = images.shape
  const values = await images.data()
  return Array.from({ length: batch }, (_, i) => {
    const grey = new Float32Array(height * width)
    for (let pixel = 0; pixel < grey.length; pixel++)
      for (let c = 0; c < channels; c++)
        grey[pixel]! += values[(i * grey.length + pixel) * channels + c]! / channels
    return detect(grey)
  })
}

const linear = (weights: readonly number[], features: readonly number[]) =>
  features.reduce((sum, feature, i) => sum + weights[i + 1]! * feature, weights[0]!)
