import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ArgumentError, AttentionError, type AttentionSite, type Denoiser } from '../../src/core/index.js'
import {
  type EditedImage,
  type PromptControl,
  promptToPrompt,
  promptToPromptMany,
  refine,
  replace,
} from '../../src/editing/index.js'
import {
  ddimInversion,
  disposeInversion,
  type Inversion,
  negativePrompt,
  nullText,
  pivotPinned,
  replay,
} from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { difference, toyDenoiser, toyImage, toyModel } from '../inversion/toy-model.js'

const scheduler = ddim({ steps: 5 })
const source = 'heart and line'

let pinned: Inversion
beforeAll(async () => {
  const image = toyImage()
  pinned = await pivotPinned(toyModel(), image, { prompt: source, scheduler })
  image.dispose()
})
afterAll(() => disposeInversion(pinned))

const free = (...edits: EditedImage[]) => tf.dispose(edits.flatMap(({ image, latents }) => [image, latents]))
const change = (prompt: string, control: PromptControl, model = toyModel()) =>
  promptToPrompt(model, pinned, { prompt, control, guidance: 4 })

// Every attention map of a run, as the values layer seen by the network after control; [step][layer].
function recorder(network = toyDenoiser()) {
  const maps: { site: AttentionSite; before: number[][]; after: number[][] }[] = []
  const rows = (map: tf.Tensor4D) => map.reshape([map.shape[0], -1]).arraySync() as number[][]
  const denoise: Denoiser = (x, t, context, attention) =>
    network(x, t, context, (probabilities, site) => {
      const answer = attention ? attention(probabilities, site) : probabilities
      maps.push({ site, before: rows(probabilities), after: rows(answer) })
      return answer
    })
  return { maps, model: toyModel(denoise) }
}

describe('cost', () => {
  const calls: number[] = []
  const model = toyModel(toyDenoiser(calls))

  it('is three rows per step after pivot pinning, in one call', async () => {
    const edit = await promptToPrompt(model, pinned, { prompt: 'line' })
    expect(calls.splice(0)).toEqual([3, 3, 3, 3, 3])
    expect(edit.evaluations).toBe(15)
    const unguided = await promptToPrompt(model, pinned, { prompt: 'line', guidance: 1 })
    expect(calls.splice(0)).toEqual([2, 2, 2, 2, 2])
    free(edit, unguided)
  })

  it('is four after null-text, at the guidance it was fitted for', async () => {
    const image = toyImage()
    const path = await nullText(toyModel(), image, { prompt: source, scheduler, innerSteps: 1 })
    const edit = await promptToPrompt(model, path, { prompt: 'line' })
    expect(calls.splice(0)).toEqual([4, 4, 4, 4, 4])
    image.dispose()
    disposeInversion(path)
    free(edit)
  })

  it('is shared by several edits, each equal to the edit alone', async () => {
    const control = replace({ localBlend: { source: ['heart'], target: ['lungs'] } })
    const edits = [{ prompt: 'lungs and line', control }, { prompt: 'heart and no line' }]
    const many = await promptToPromptMany(model, pinned, { edits })
    expect(calls.splice(0)).toEqual([5, 5, 5, 5, 5])
    for (const [k, request] of edits.entries()) {
      const alone = await promptToPrompt(toyModel(), pinned, request)
      expect(difference(alone.latents, many.edits[k]!.latents)).toBeLessThan(1e-5)
      expect(alone.rewritten).toEqual(many.edits[k]!.rewritten)
      free(alone)
    }
    free(...many.edits)
  })
})

describe('a null edit', () => {
  it('repeats the source where both branches are guided alike', async () => {
    const image = toyImage()
    const options = { prompt: source, scheduler }
    const model = toyModel()
    const cases = [
      { path: await nullText(model, image, { ...options, innerSteps: 2 }), guidance: {} },
      { path: await negativePrompt(model, image, options), guidance: { guidance: 3 } },
      { path: await ddimInversion(model, image, options), guidance: { guidance: 1 } },
    ]
    for (const { path, guidance } of cases) {
      const edit = await promptToPrompt(model, path, { prompt: source, ...guidance })
      const original = await replay(model, path)
      expect(difference(edit.latents, original)).toBeLessThan(2e-5)
      free(edit)
      original.dispose()
      disposeInversion(path)
    }
    image.dispose()
  })

  it('drifts by guidance after pivot pinning, unless both branches are pinned', async () => {
    const model = toyModel()
    const published = await promptToPrompt(model, pinned, { prompt: source })
    const exact = await promptToPrompt(model, pinned, { prompt: source, pin: 'both', negativePrompt: source })
    expect(difference(published.latents, pinned.clean)).toBeGreaterThan(1e-3)
    expect(difference(exact.latents, pinned.clean)).toBeLessThan(1e-5)
    free(published, exact)
  })
})

describe('what the control touches', () => {
  it('is the edited conditional row alone, within the windows', async () => {
    const { maps, model } = recorder()
    const edit = await change(
      'heart and no line',
      refine({ crossReplace: [0.2, 0.6], selfReplace: [0.4, 0.8] }),
      model,
    )
    const changed = maps.map(({ site, before, after: now }) => ({
      kind: site.kind,
      rows: now.flatMap((row, r) => (row.every((p, i) => p === before[r]![i]) ? [] : [r])),
    }))
    const steps = (kind: string) =>
      [0, 1, 2, 3, 4].filter((step) =>
        changed.slice(4 * step, 4 * step + 4).some((map) => map.kind === kind && map.rows.length > 0),
      )
    // Rows are [unguided, source, edit]; floor(6 · 0.2) to floor(6 · 0.6), and floor(5 · 0.4) to floor(5 · 0.8).
    expect(changed.every(({ rows }) => rows.every((row) => row === 2))).toBe(true)
    expect(steps('cross')).toEqual([1, 2])
    expect(steps('self')).toEqual([2, 3])
    expect(edit.rewritten).toEqual({ cross: 4, self: 4 })
    free(edit)
  })

  it('gives the edit the source column of each common token', async () => {
    const { maps, model } = recorder()
    const edit = await change('heart and no line', refine({ selfReplace: 0 }), model)
    const { before, after: now } = maps.find(({ site }) => site.kind === 'cross')!
    // BOS heart and no line EOS, from BOS heart and line EOS
    expect(now[2]!.slice(0, 6)).toEqual(
      [0, 1, 2].map((n) => before[1]![n]).concat(before[2]![3]!, before[1]![3]!, before[1]![4]!),
    )
    free(edit)
  })

  it('replaces self-attention up to maxSelfResolution', async () => {
    const { maps, model } = recorder()
    const edit = await change(
      source,
      refine({ crossReplace: 0, selfReplace: 1, maxSelfResolution: 2 }),
      model,
    )
    const self = maps.filter(({ site }) => site.kind === 'self')
    for (const { site, before, after: now } of self) {
      expect(now[2]).toEqual(site.height === 2 ? before[1] : before[2])
    }
    expect(edit.rewritten).toEqual({ cross: 0, self: 5 })
    free(edit)
  })

  it('weighs the columns of a word', async () => {
    const { maps, model } = recorder()
    const control = refine({
      crossReplace: { default: 1, words: { and: 0 } },
      selfReplace: 0,
      reweight: { line: 3 },
    })
    const edit = await change(source, control, model)
    const { before, after: now } = maps.find(({ site }) => site.kind === 'cross')!
    expect(now[2]![3]).toBeCloseTo(3 * before[1]![3]!, 6)
    expect(now[2]![2]).toBe(before[2]![2])
    free(edit)
  })

  it('asks the network without control where every window is closed', async () => {
    const controlled: boolean[] = []
    const network = toyDenoiser()
    const spy: Denoiser = (x, t, c, attention) => {
      controlled.push(attention !== undefined)
      return network(x, t, c, attention)
    }
    const edit = await change('line', refine({ crossReplace: 0.5, selfReplace: 0.2 }), toyModel(spy))
    expect(controlled).toEqual([true, true, true, false, false])
    free(edit)
  })
})

describe('localBlend', () => {
  it('leaves the source outside the region, and starts late', async () => {
    const model = toyModel()
    const nowhere = refine({ localBlend: { source: ['line'], target: ['line'], threshold: 1, start: 0 } })
    const everywhere = refine({ localBlend: { source: ['line'], target: ['line'], threshold: 0, start: 0 } })
    const atLast = refine({ localBlend: { source: ['line'], target: ['line'], threshold: 1, start: 0.8 } })
    const never = refine({ localBlend: { source: ['line'], target: ['line'], threshold: 1, start: 1 } })
    const prompt = 'heart and no line'
    const [none, all, last, late, plain] = [
      await change(prompt, nowhere, model),
      await change(prompt, everywhere, model),
      await change(prompt, atLast, model),
      await change(prompt, never, model),
      await change(prompt, refine(), model),
    ]
    expect(difference(none.latents, pinned.clean)).toBe(0)
    expect(difference(all.latents, plain.latents)).toBeLessThan(1e-6)
    expect(difference(last.latents, pinned.clean)).toBe(0)
    expect(difference(late.latents, plain.latents)).toBe(0)
    free(none, all, last, late, plain)
  })

  it('spares the words that are excepted', async () => {
    const except = { source: ['line'], target: ['line'] }
    const all = refine({ localBlend: { ...except, except, threshold: 0, start: 0 } })
    const edit = await change('heart and no line', all)
    expect(difference(edit.latents, pinned.clean)).toBe(0)
    free(edit)
  })

  it('names the resolutions that exist', async () => {
    const control = refine({ localBlend: { source: ['line'], target: ['line'], resolution: 16 } })
    await expect(change(source, control)).rejects.toThrow(/longer side of 16; got maps of 4×4, 2×2/)
  })
})

describe('a control that matches nothing is an error', () => {
  it.each([
    ['a denoiser that ignores attention', toyDenoiser([], []), refine(), /no attention map at all.*ignores/],
    [
      'no cross-attention',
      toyDenoiser([], [{ kind: 'self', pool: 1 }]),
      refine(),
      /1 of self 4×4.*crossReplace/,
    ],
    [
      'no self-attention',
      toyDenoiser([], [{ kind: 'cross', pool: 1 }]),
      refine(),
      /1 of cross 4×4.*selfReplace/,
    ],
    [
      'none coarse enough',
      toyDenoiser(),
      refine({ maxSelfResolution: 1 }),
      /self-attention.*maxSelfResolution/,
    ],
  ])('%s', async (_what, denoise, control, message) => {
    const run = change('line', control, toyModel(denoise))
    await expect(run).rejects.toThrow(AttentionError)
    await expect(change('line', control, toyModel(denoise))).rejects.toThrow(message)
  })

  it('but a closed window asks for nothing', async () => {
    const model = toyModel(toyDenoiser([], []))
    free(await change('line', refine({ crossReplace: 0, selfReplace: 0 }), model))
  })
})

describe('arguments', () => {
  const prompt = 'heart and line'
  it.each([
    ['guidance NaN', { prompt, guidance: Number.NaN }],
    ['an unknown word', { prompt, control: refine({ reweight: { kidney: 2 } }) }],
    [
      'an unknown word of the schedule',
      { prompt, control: refine({ crossReplace: { words: { kidney: 1 } } }) },
    ],
    [
      'an unknown word of the region',
      { prompt, control: refine({ localBlend: { source: ['kidney'], target: [] } }) },
    ],
    ['a window beyond the steps', { prompt, control: refine({ crossReplace: 1.5 }) }],
    ['a window that ends before it starts', { prompt, control: refine({ selfReplace: [0.5, 0.2] }) }],
    ['a self window NaN', { prompt, control: refine({ selfReplace: Number.NaN }) }],
    [
      'a threshold NaN',
      { prompt, control: refine({ localBlend: { source: [], target: [], threshold: Number.NaN } }) },
    ],
    ['a resolution of nothing', { prompt, control: refine({ maxSelfResolution: 0 }) }],
    ['replace with other word counts', { prompt: 'heart', control: replace() }],
  ])('refuses %s', async (_what, options) => {
    await expect(promptToPrompt(toyModel(), pinned, options)).rejects.toThrow(ArgumentError)
  })

  it('refuses no edits, pins without pivots, and another number of steps', async () => {
    const model = toyModel()
    await expect(promptToPromptMany(model, pinned, { edits: [] })).rejects.toThrow(ArgumentError)
    const unpinned = { ...pinned, steps: pinned.steps.map(() => ({})) }
    await expect(promptToPrompt(model, unpinned, { prompt, pin: 'both' })).rejects.toThrow(ArgumentError)
    await expect(promptToPrompt(model, { ...pinned, steps: [] }, { prompt })).rejects.toThrow(ArgumentError)
  })

  it('takes an empty prompt, and one that is too long', async () => {
    const empty = await promptToPrompt(toyModel(), pinned, { prompt: '' })
    const long = await promptToPrompt(toyModel(), pinned, { prompt: 'a b c d e f g h i j k l' })
    expect([empty.truncated, long.truncated]).toEqual(['', 'k l'])
    free(empty, long)
  })
})
