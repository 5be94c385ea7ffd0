import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { AttentionSite, Denoiser } from '../../src/core/index.js'
import { promptToPrompt, refine, replace } from '../../src/editing/index.js'
import { disposeInversion, type Inversion } from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { hashInput, torchValues } from '../support/name-hash.js'
import { fixture, fromTorchLatents, tinyDiffusion } from '../support/tiny-diffusion.js'

interface Case {
  readonly variant: 'plain' | 'pivot-pinned' | 'null-text'
  readonly control: 'none' | 'replace' | 'refine'
  readonly maxSelfResolution: number
  readonly dialect: 'google-2022' | null
  readonly sourceWords?: number[][]
  readonly targetWords?: number[][]
  readonly sourceIds?: number[]
  readonly targetIds?: number[]
  readonly reweight?: Record<string, number>
  readonly blend?: { readonly threshold: number; readonly resolution: number }
}
const golden = fixture('prompt-to-prompt') as {
  networkScale: number
  cases: Record<string, Case>
  results: Record<string, { target: number[]; maps: Record<string, { mean: number[] }> }>
}
const { descent } = fixture('null-text') as {
  descent: { pivots: number[][]; steps: { embedding: number[] }[] }
}

const prompt = (words: number[][] | undefined, ids: number[] | undefined) =>
  words
    ? words.map((word) => word.map((id) => `t${id}`).join('')).join(' ')
    : ids!
        .slice(1, -1)
        .map((id) => `t${id}`)
        .join(' ')

function inversionOf({ variant }: Case, source: string): Inversion {
  const steps = descent.steps.map(({ embedding }, i) => {
    if (variant === 'pivot-pinned') return { pivot: fromTorchLatents(descent.pivots[4 - i]!) }
    return variant === 'null-text' ? { unconditional: tf.tensor3d(embedding, [1, 77, 8]) } : {}
  })
  return {
    method: variant,
    prompt: source,
    truncated: '',
    scheduler: ddim({ steps: 5 }),
    guidance: 7.5,
    clean: fromTorchLatents(descent.pivots[0]!),
    start:
      variant === 'plain' ? hashInput('input.sample', [1, 4, 16, 16]) : fromTorchLatents(descent.pivots[5]!),
    steps,
    size: [128, 128],
    evaluations: 0,
  }
}

const largest = (a: ArrayLike<number>, b: readonly number[]) =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(a[i]! - value)), 0)

test.each(Object.entries(golden.cases).filter(([, { control }]) => control !== 'none'))(
  'prompt-to-prompt equals PyTorch’s: %s',
  async (name, given) => {
    const source = prompt(given.sourceWords, given.sourceIds)
    const target = prompt(given.targetWords, given.targetIds)
    const model = tinyDiffusion({
      networkScale: golden.networkScale,
      cleanScale: 3,
      contextShare: 0,
      uncondShare: 1,
      source,
    })
    const inversion = inversionOf(given, source)
    const tooFine = name.includes('too fine')
    const options = {
      crossReplace: 0.8,
      // A control that asks for self-attention it cannot find is refused; the fixture's simply has none.
      selfReplace: tooFine ? 0 : 0.4,
      ...(!tooFine && { maxSelfResolution: given.maxSelfResolution }),
      ...(given.dialect && { dialect: given.dialect }),
      ...(given.reweight && { reweight: { t18: given.reweight['4']! } }),
      ...(given.blend && {
        localBlend: { source: ['t14'], target: ['t18'], threshold: given.blend.threshold, resolution: 8 },
      }),
    }

    // The edited maps of the first step, as the network receives them.
    const maps = new Map<string, Float32Array>()
    const watched: Denoiser = (x, timestep, context, attention) =>
      model.denoise(
        x,
        timestep,
        context,
        attention &&
          ((probabilities, site: AttentionSite) => {
            const edited = attention(probabilities, site)
            if (site.kind === 'cross' && !maps.has(site.name)) maps.set(site.name, meanOfLastRow(edited))
            return edited
          }),
      )
    const control = (given.control === 'refine' ? refine : replace)(options)
    const out = await promptToPrompt({ ...model, denoise: watched }, inversion, {
      prompt: target,
      control,
      guidance: 7.5,
    })

    expect(largest(await torchValues(out.latents), golden.results[name]!.target)).toBeLessThan(5e-5)
    for (const [site, { mean }] of Object.entries(golden.results[name]!.maps)) {
      expect(largest(maps.get(site)!, mean), site).toBeLessThan(1e-5)
    }
    tf.dispose([out.image, out.latents])
    disposeInversion(inversion)
    model.dispose()
  },
)

// The edit's conditional row is the batch's last: mean over heads and pixels, one value per token.
function meanOfLastRow(probabilities: tf.Tensor4D): Float32Array {
  return tf.tidy(() => {
    const last = tf.slice(probabilities, [probabilities.shape[0] - 1, 0, 0, 0])
    return tf.mean(last, [0, 1, 2]).dataSync() as Float32Array
  })
}
