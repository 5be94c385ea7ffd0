import { caption } from './captions.js'
import {
  type AttributeName,
  type Attributes,
  heldOut,
  type Patient,
  patient,
  type Split,
  seedOf,
} from './causal-graph.js'
import { draw } from './draw.js'

/** A batch in plain arrays; the caller makes the tensor. */
export interface PhantomBatch {
  /** Pictures [count, size, size, 3] in [0, 1], the three channels equal. */
  readonly images: Float32Array
  readonly shape: readonly [count: number, height: number, width: number, channels: 3]
  readonly captions: readonly string[]
  readonly patients: readonly Patient[]
}

/** Settings of {@link phantomBatch}. */
export interface PhantomBatchOptions {
  /** Height and width in pixels. Default 64. */
  readonly size?: number
  /** Which patients the indices count. Default 'training'. */
  readonly split?: Split
  /** Another number gives the same pictures other captions, as in another epoch. Default 0. */
  readonly captionSeed?: number
}

/** Draws and captions the patients with these indices, in this order; any index ≥ 0 exists. */
export function phantomBatch(indices: readonly number[], options: PhantomBatchOptions = {}): PhantomBatch {
  const { size = 64, split = 'training', captionSeed = 0 } = options
  const patients = indices.map((index) => patient(seedOf(split, index)))
  const images = new Float32Array(indices.length * size * size * 3)
  patients.forEach((each, i) => {
    images.set(toRgb(draw(each, size)), i * size * size * 3)
  })
  const captions = patients.map(({ attributes, seed }) => caption(attributes, seed + 2 ** 32 * captionSeed))
  return { images, shape: [indices.length, size, size, 3], captions, patients }
}

/** The first held-out patients that have these attributes. */
export function heldOutWith(wanted: Partial<Attributes>, count: number): Patient[] {
  const names = Object.keys(wanted) as AttributeName[]
  const found: Patient[] = []
  for (let index = 0; found.length < count; index++) {
    const candidate = heldOut(index)
    if (names.every((name) => candidate.attributes[name] === wanted[name])) found.push(candidate)
  }
  return found
}

/** Repeats a grey picture [h, w] to three equal channels [h, w, 3]. */
export function toRgb(grey: Float32Array): Float32Array {
  const rgb = new Float32Array(grey.length * 3)
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3)
  return rgb
}
