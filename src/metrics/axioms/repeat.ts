import type { Tensor4D } from '@tensorflow/tfjs'
import {
  ArgumentError,
  breathe,
  expectNumber,
  expectShape,
  type RunOptions,
  Scope,
} from '../../core/index.js'
import { type AxiomResult, type Distance, type Edit, measure } from './distance.js'

/** How often, and how far. */
export interface RepeatOptions extends RunOptions {
  /** After how many applications to measure; 1 and 10, as published. */
  readonly times?: readonly number[] | undefined
  /** How far the result is from where it started. */
  readonly distance: Distance
}

/** Applies an edit again and again, and measures the way back to the start at the wanted counts. @internal */
export async function repeat(
  axiom: string,
  images: Tensor4D,
  edits: readonly Edit[],
  { times = [1, 10], distance, ...run }: RepeatOptions,
): Promise<AxiomResult[]> {
  for (const m of times) expectNumber(m, { min: 1, integer: true }, axiom, 'every count of times')
  const wanted = [...new Set(times)].sort((a, b) => a - b)
  const total = wanted.at(-1)
  if (total === undefined) {
    throw new ArgumentError({ rule: `${axiom} needs times`, got: 'none', mend: 'Pass [1], or [1, 10].' })
  }
  const scope = new Scope()
  try {
    const results: AxiomResult[] = []
    let current = images
    for (let m = 1; m <= total; m++) {
      for (const edit of edits) {
        const next = await edit(current)
        const previous = current
        current = next === images ? images : scope.own(next)
        if (previous !== images && previous !== current) scope.free(previous)
        expectShape(current, images.shape, axiom, 'the edited pictures')
      }
      if (wanted.includes(m)) results.push(await measure(axiom, m, distance, current, images))
      run.onProgress?.({ stage: axiom, done: m, total })
      await breathe(run, axiom)
    }
    return results
  } finally {
    scope.dispose()
  }
}
