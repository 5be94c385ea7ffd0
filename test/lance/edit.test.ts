import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AttentionError, type LatentDiffusion } from '../../src/core/index.js'
import { promptToPrompt, refine } from '../../src/editing/index.js'
import { disposeInversion, pivotPinned } from '../../src/inversion/index.js'
import {
  bestPassing,
  type CounterfactualOptions,
  type Counterfactuals,
  counterfactuals,
  emphasisedWords,
  regionWords,
  whyUnchanged,
} from '../../src/lance/index.js'
import { difference, toyDenoiser, toyImage, toyModel, toyTokenizer } from '../inversion/toy-model.js'
import { heartAndLine, perturbation, perturbations, scheduler, toyEmbedder } from './toys.js'

let image: tf.Tensor4D
beforeAll(() => {
  image = toyImage()
})
afterAll(() => image.dispose())

const base: CounterfactualOptions = { scheduler, embedder: toyEmbedder, guidance: 3 }
const free = ({ reconstruction, edits }: Counterfactuals) =>
  tf.dispose([reconstruction, ...edits.flatMap((edit) => [edit.image, edit.latents])])

test('the loop: one inversion, one batch, every edit judged', async () => {
  const calls: number[] = []
  const gates = [{ gate: 'image-image', min: 0.999 }] as const
  const result = await counterfactuals(toyModel(toyDenoiser(calls)), image, perturbations, { ...base, gates })
  const rows = calls.reduce((sum, n) => sum + n, 0)
  expect(result.evaluations).toEqual({ inversion: 10, edits: 10 + 20 * 3 })
  expect(rows).toBe(result.evaluations.inversion + result.evaluations.edits)
  expect(calls.filter((n) => n > 1)).toEqual(Array(10).fill(7))
  expect(result.edits.map((edit) => edit.perturbation)).toEqual(perturbations)
  for (const edit of result.edits) {
    expect(edit.passed).toBe(edit.similarities.imageImage! >= 0.999)
    expect(edit.verdicts).toHaveLength(1)
    expect(difference(edit.image, result.reconstruction)).toBeGreaterThan(1e-4)
  }
  free(result)
})

test('calls of any size give the same pictures at the same cost: the source is read once a step', async () => {
  const whole = await counterfactuals(toyModel(), image, perturbations, base)
  const calls: number[] = []
  const single = await counterfactuals(toyModel(toyDenoiser(calls)), image, perturbations, {
    ...base,
    rows: 3,
  })
  expect(single.evaluations).toEqual(whole.evaluations)
  // 10 steps of inversion, then the source with the first edit, the second edit, the third.
  expect(calls.filter((n) => n > 1)).toEqual(Array(10).fill([3, 2, 2]).flat())
  for (const [i, edit] of whole.edits.entries())
    expect(difference(edit.image, single.edits[i]!.image)).toBeLessThan(1e-5)
  free(whole)
  free(single)
})

test('a sweep multiplies the cost by its length, and keeps what each try measured', async () => {
  const result = await counterfactuals(toyModel(), image, perturbations.slice(0, 1), {
    ...base,
    selfReplace: [0, 0.4, 0.8],
  })
  expect(result.evaluations.edits).toBe(10 + 20 * 3)
  const [edit] = result.edits
  expect(edit!.tries.map(({ selfReplace }) => selfReplace)).toEqual([0, 0.4, 0.8])
  const best = Math.max(...edit!.tries.map(({ directional }) => directional!))
  expect(edit!.directional).toBe(best)
  free(result)
})

// D1: hooks that match nothing turned prompt-to-prompt into plain guidance, without a word.
test('D1: a network that shows no attention map is refused', async () => {
  const deaf = toyDenoiser()
  const model = toyModel((x, t, context) => deaf(x, t, context))
  await expect(counterfactuals(model, image, perturbations, base)).rejects.toThrow(AttentionError)
})

// D2: the local blend was built and never applied.
test('D2: a local blend keeps the picture outside its region', async () => {
  const unchangedPixels = async (localBlend: CounterfactualOptions['localBlend']) => {
    const result = await counterfactuals(toyModel(), image, perturbations.slice(1, 2), {
      ...base,
      ...(localBlend && { localBlend }),
    })
    const same = tf.tidy(
      () =>
        result.edits[0]!.image.sub(result.reconstruction).abs().max(3).lessEqual(1e-6).sum().dataSync()[0]!,
    )
    free(result)
    return same
  }
  const pixels = 32 * 32
  expect(await unchangedPixels(false)).toBe(0)
  const kept = await unchangedPixels({ start: 0, threshold: 0.97 })
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThan(pixels)
})

// D3: words and weights were one-shot generators, so that only the first self-replace value was reweighted.
test('D3: every value of a sweep is reweighted', async () => {
  const [what] = perturbations.slice(1)
  const model = toyModel()
  const [last] = (await atLast(model, 3)).edits
  const path = await pivotPinned(model, image, { prompt: heartAndLine, scheduler })
  const alone = await promptToPrompt(model, path, {
    prompt: what!.target,
    guidance: 3,
    control: refine({ crossReplace: 0.8, selfReplace: 0.8, reweight: { lungs: 3 } }),
  })
  const unweighted = await promptToPrompt(model, path, {
    prompt: what!.target,
    guidance: 3,
    control: refine({ crossReplace: 0.8, selfReplace: 0.8 }),
  })
  expect(difference(last!.image, alone.image)).toBeLessThan(1e-5)
  expect(difference(last!.image, unweighted.image)).toBeGreaterThan(1e-3)
  disposeInversion(path)
  tf.dispose([alone, unweighted].flatMap((edit) => [edit.image, edit.latents]))
  tf.dispose([last!.image, last!.latents])

  // The sweep's last value alone passes, so that it is the one that comes back.
  async function atLast(model: LatentDiffusion, editWeight: number) {
    let judged = 0
    const gates = [{ gate: 'third', judge: () => ++judged === 3 }]
    const result = await counterfactuals(model, image, [what!], {
      ...base,
      gates,
      editWeight,
      selfReplace: [0, 0.4, 0.8],
    })
    expect(result.edits[0]).toMatchObject({ selfReplace: 0.8, passed: true, emphasised: ['lungs'] })
    result.reconstruction.dispose()
    return result
  }
})

// D4: padding of a shortened caption took over the attention of the words that were deleted.
test('D4: deleted words leave nothing in the padding', async () => {
  const what = perturbation('heart and line a b', 'heart', { deleted: ['and', 'line', 'a', 'b'] })
  const model = toyModel()
  const result = await counterfactuals(model, image, [what], base)
  const path = await pivotPinned(model, image, { prompt: what.source, scheduler })
  const edits = []
  for (const dialect of [undefined, 'google-2022'] as const) {
    const control = refine({ crossReplace: 0.8, selfReplace: 0.4, ...(dialect && { dialect }) })
    edits.push(await promptToPrompt(model, path, { prompt: what.target, guidance: 3, control }))
  }
  expect(difference(result.edits[0]!.image, edits[0]!.image)).toBeLessThan(1e-5)
  expect(difference(result.edits[0]!.image, edits[1]!.image)).toBeGreaterThan(1e-4)
  free(result)
  disposeInversion(path)
  tf.dispose(edits.flatMap((edit) => [edit.image, edit.latents]))
})

// D5: the best score was forgotten at every self-replace value, so that the last passing try won.
test('D5: the best passing try of the whole sweep is kept', () => {
  const tries = [
    { passed: false, directional: 0.9, name: 'best, but stopped' },
    { passed: true, directional: 0.5, name: 'best that passed' },
    { passed: true, directional: 0.3, name: 'last that passed' },
    { passed: true, directional: null, name: 'undefined' },
  ]
  expect(bestPassing(tries).name).toBe('best that passed')
  expect(bestPassing(tries.map((one) => ({ ...one, passed: false }))).name).toBe('best, but stopped')
})

test('the best passing try is at least as good as any that passed', () => {
  const score = fc.oneof(fc.constant(null), fc.double({ min: -1, max: 1, noNaN: true }))
  const tries = fc.array(fc.record({ passed: fc.boolean(), directional: score }), { minLength: 1 })
  fc.assert(
    fc.property(tries, (all) => {
      const best = bestPassing(all)
      const rivals = all.filter(({ passed }) => passed || !best.passed)
      expect(best.passed).toBe(all.some(({ passed }) => passed))
      for (const { directional } of rivals)
        expect(best.directional ?? -2).toBeGreaterThanOrEqual(directional ?? -2)
    }),
  )
})

test.each([
  ['heart and line', 'no heart', { inserted: ['no'], deleted: ['and', 'line'] }, ['heart']],
  ['no heart and line', 'heart and line', { deleted: ['no'] }, ['heart']],
  ['heart and line', 'heart and lungs', { replaced: [['line', 'lungs']] }, ['lungs']],
  ['heart and line', 'heart and no line', { inserted: ['no'] }, ['line']],
  ['heart', 'heart and a b', { inserted: ['and', 'a', 'b'] }, ['b']],
  ['no heart and line', 'no heart and no line', { inserted: ['no'] }, ['line']],
  ['heart and line', 'heart', { deleted: ['and', 'line'] }, []],
] as const)(
  '"%s" to "%s" strengthens the words that matter, never a negation',
  (source, target, words, expected) => {
    const what = perturbation(source, target, words as never)
    expect(emphasisedWords(toyTokenizer(), what)).toEqual(expected)
  },
)

test('the region of an edit is marked by what went and what came', () => {
  const swapped = perturbation('heart and line', 'heart and lungs', { replaced: [['line', 'lungs']] })
  expect(regionWords(toyTokenizer(), swapped)).toEqual({ source: ['line'], target: ['lungs'] })
  const denied = perturbation('heart and line', 'no heart and line', { inserted: ['no'] })
  expect(regionWords(toyTokenizer(), denied)).toEqual({ source: ['heart'], target: ['heart'] })
})

test('a caption that is cut: the words are named, and an edit beyond the cut is not made', async () => {
  const long = 'a b c d e f g h i j'
  const tokenizer = toyTokenizer()
  const kept = perturbation(`${long} k`, `heart b c d e f g h i j k`, { replaced: [['a', 'heart']] })
  const lost = perturbation(`${long} k`, `${long} l`, { replaced: [['k', 'l']] })
  const same = perturbation(`${long} k`, `${long} k`)
  expect(whyUnchanged(tokenizer, kept)).toBeUndefined()
  expect(whyUnchanged(tokenizer, lost)).toBe(
    "the captions differ only beyond the text encoder's 12 tokens, in: l",
  )
  expect(whyUnchanged(tokenizer, same)).toBe('the caption did not change')
  expect(emphasisedWords(tokenizer, lost)).toEqual([])
  const result = await counterfactuals(toyModel(), image, [lost, kept, same], base)
  expect(result.truncated).toBe('k')
  expect(result.edits).toMatchObject([{ perturbation: kept, truncated: 'k' }])
  expect(result.skipped.map(({ perturbation }) => perturbation)).toEqual([lost, same])
  free(result)
})

test('perturbations of two captions are refused', async () => {
  const mixed = [...perturbations, perturbation('heart', 'no heart')]
  await expect(counterfactuals(toyModel(), image, mixed, base)).rejects.toThrow(
    /one caption.*2 source captions/,
  )
})

test.each([
  [{ selfReplace: [] }, /number of selfReplace values/],
  [{ selfReplace: [0.4, 1.2] }, /every selfReplace/],
  [{ rows: 2 }, /rows to be a whole number of at least 3/],
  [{ inversion: 'null-text', skip: 0.2 }, /'pivot-pinned' for skip/],
] as const)('settings out of range are refused: %o', async (settings, message) => {
  await expect(counterfactuals(toyModel(), image, perturbations, { ...base, ...settings })).rejects.toThrow(
    message,
  )
})

test('null-text inversion and replace control on request', async () => {
  const result = await counterfactuals(toyModel(), image, perturbations, {
    ...base,
    inversion: 'null-text',
    control: 'replace',
  })
  expect(result.evaluations.inversion).toBeGreaterThan(30)
  expect(result.edits.map(({ control }) => control)).toEqual(['refine', 'replace', 'refine'])
  free(result)
})

test('an abort frees everything', async () => {
  const controller = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'edit' && done === 3) controller.abort()
  }
  const run = counterfactuals(toyModel(), image, perturbations, {
    ...base,
    signal: controller.signal,
    onProgress,
  })
  await expect(run).rejects.toThrow(/aborted/)
})
