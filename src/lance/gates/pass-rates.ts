import { wilson } from '../../metrics/index.js'
import type { Verdict } from './gate.js'

/** How many edits of one kind passed. Gates select on the outcome; whoever reads an effect must see how strictly. */
export interface PassRate {
  /** The kind of perturbation. */
  readonly kind: string
  /** Edits that were judged. */
  readonly edits: number
  /** Edits that passed every gate. */
  readonly passed: number
  /** `passed / edits`. */
  readonly rate: number
  /** Wilson's 95 % interval of the rate. */
  readonly interval: readonly [low: number, high: number]
  /** How many edits each gate stopped, by name; one edit may be stopped by several. */
  readonly stoppedBy: Readonly<Record<string, number>>
}

/** An edit as far as {@link passRates} looks at it. */
export interface JudgedEdit {
  /** The kind of perturbation. */
  readonly kind: string
  /** One verdict per gate. */
  readonly verdicts: readonly Pick<Verdict, 'gate' | 'passed'>[]
}

/**
 * The pass rate of every kind of perturbation.
 *
 * @param edits - all that were judged, kept or not
 * @returns one rate per kind, in order of first appearance
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference"
 */
export function passRates(edits: readonly JudgedEdit[]): PassRate[] {
  const kinds = [...new Set(edits.map(({ kind }) => kind))]
  return kinds.map((kind) => {
    const ofKind = edits.filter((edit) => edit.kind === kind)
    const passed = ofKind.filter(({ verdicts }) => verdicts.every((verdict) => verdict.passed)).length
    const stoppedBy: Record<string, number> = {}
    for (const { gate, passed } of ofKind.flatMap(({ verdicts }) => verdicts)) {
      stoppedBy[gate] = (stoppedBy[gate] ?? 0) + (passed ? 0 : 1)
    }
    const { share: rate, interval } = wilson(passed, ofKind.length)
    return {
      kind,
      edits: ofKind.length,
      passed,
      rate,
      interval: [interval.low, interval.high],
      stoppedBy,
    }
  })
}
