import type { Evidence } from './evidence.js'

/** A gate as data: what is measured, and the least that passes. */
export type ThresholdGate = MeasuredGate | PredictionConsistencyGate

/** A gate on one measured quantity. */
export interface MeasuredGate {
  /**
   * - `image-image`: `cos(reconstruction, edit)`: the picture is still the same one;
   * - `text-image`: `cos(reconstruction, source caption)` and `cos(edit, target caption)`, both: the captions describe
   *   the pictures;
   * - `directional`: `cos(edit − reconstruction, target − source)`: the picture moved the way the caption did;
   * - `reconstruction`: PSNR of the reconstruction against the original, in dB.
   */
  readonly gate: 'image-image' | 'text-image' | 'directional' | 'reconstruction'
  /** The least that passes. */
  readonly min: number
}

/** `cos(edit, new words) − cos(edit, old words)`, above `min`: the edit looks more like what it became. */
export interface PredictionConsistencyGate {
  /** Its name. */
  readonly gate: 'prediction-consistency'
  /** What the difference must exceed; 0. */
  readonly min?: number
}

/** A gate of one's own: a function of the evidence, under a name for the record. */
export interface CustomGate {
  /** Named in the record. */
  readonly gate: string
  /** True passes. A number is recorded, and passes from 0 up. */
  readonly judge: (evidence: Evidence) => boolean | number | Promise<boolean | number>
}

/** What an edit must pass to be kept. */
export type Gate = ThresholdGate | CustomGate

/** What a gate found. */
export interface Verdict {
  /** Which gate. */
  readonly gate: string
  /** Whether the edit may pass. */
  readonly passed: boolean
  /** What was measured, by name; `null` where it is undefined. */
  readonly values: Readonly<Record<string, number | null>>
  /** What each value had to reach; missing for a function. */
  readonly min?: number
  /** Why a verdict was given without a number. */
  readonly note?: string
}

/** Published thresholds, by name. */
export type GatePreset = 'lance-2023' | 'prism-2025'

const preset = (imageImage: number, textImage: number, directional: number): readonly ThresholdGate[] => [
  { gate: 'image-image', min: imageImage },
  { gate: 'text-image', min: textImage },
  { gate: 'directional', min: directional },
  { gate: 'prediction-consistency' },
]

/**
 * Thresholds of the published runs, made for CLIP ViT-L/14 and natural pictures: LANCE's defaults, and those that
 * PRISM set for X-rays, where its directional gate stops almost nothing.
 */
export const gatePresets: Readonly<Record<GatePreset, readonly ThresholdGate[]>> = {
  'lance-2023': preset(0.7, 0.2, 0.2),
  'prism-2025': preset(0.6, 0.1, -0.5),
}

/**
 * Judges an edit by every gate; none is left out when an earlier one fails, so that the record is whole.
 *
 * A similarity that is undefined fails its gate (an edit that changed nothing has no direction), except prediction
 * consistency, which does not apply where a caption only gained or only lost words.
 *
 * @param gates - data and functions
 * @param evidence - of one edit
 * @returns one verdict per gate, in order
 */
export async function judge(gates: readonly Gate[], evidence: Evidence): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const gate of gates) {
    verdicts.push('judge' in gate ? await judgeByFunction(gate, evidence) : judgeByThreshold(gate, evidence))
  }
  return verdicts
}

async function judgeByFunction({ gate, judge }: CustomGate, evidence: Evidence): Promise<Verdict> {
  const found = await judge(evidence)
  if (typeof found === 'boolean') return { gate, passed: found, values: {} }
  return { gate, passed: found >= 0, values: { value: Number.isFinite(found) ? found : null } }
}

function judgeByThreshold(gate: ThresholdGate, evidence: Evidence): Verdict {
  const { imageImage, sourceText, targetText, directional, newWords, oldWords, psnr } = evidence
  const atLeast = (min: number, values: Record<string, number | null>): Verdict => {
    const passed = Object.values(values).every((value) => value !== null && value >= min)
    const undefinedOnes = Object.keys(values).filter((name) => values[name] === null)
    const note = undefinedOnes.length > 0 && `${undefinedOnes.join(', ')} undefined: nothing changed`
    return { gate: gate.gate, passed, values, min, ...(note && { note }) }
  }
  switch (gate.gate) {
    case 'image-image':
      return atLeast(gate.min, { imageImage })
    case 'text-image':
      return atLeast(gate.min, { sourceText, targetText })
    case 'directional':
      return atLeast(gate.min, { directional })
    case 'prediction-consistency': {
      const min = gate.min ?? 0
      const values = { newWords, oldWords }
      if (newWords === null || oldWords === null) {
        const note = 'does not apply: words were only added, or only left out'
        return { gate: gate.gate, passed: true, values, min, note }
      }
      return { gate: gate.gate, passed: newWords - oldWords > min, values, min }
    }
    case 'reconstruction':
      // A perfect reconstruction has no finite PSNR, and passes.
      return psnr === null
        ? { gate: gate.gate, passed: true, values: { psnr }, min: gate.min, note: 'exact' }
        : atLeast(gate.min, { psnr })
  }
}
