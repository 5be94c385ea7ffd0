import { ArgumentError } from '../../core/index.js'
import type { HvaeConfig } from './settings.js'

/** One block of the encoder. */
export interface EncoderStage {
  /** Channels in. */
  readonly inputs: number
  /** Channels out. */
  readonly outputs: number
  /** Average pooling after the block, 1 for none. */
  readonly down: number
}

/** One block of the decoder. */
export interface DecoderStage {
  /** Height and width. */
  readonly resolution: number
  /** Channels in. */
  readonly inputs: number
  /** Channels out: the next block's in. */
  readonly outputs: number
  /** Whether it draws a latent. */
  readonly stochastic: boolean
}

/**
 * The encoder's blocks, in order: `'64b3d2'` is three blocks at 64² and one that pools by 2 into the next width.
 *
 * @throws ArgumentError naming the stage
 */
export function parseEncoder({ enc_arch, widths, input_res }: HvaeConfig): readonly EncoderStage[] {
  const outputs: { width: number; down: number }[] = []
  const stages = enc_arch.split(',')
  stages.forEach((stage, i) => {
    const match = /^(\d+)b(\d+)(?:d(\d))?$/.exec(stage)
    if (!match || Number(match[3] ?? 1) === 0) throw unreadable('enc_arch', stage, '64b3d2')
    const [blocks, down] = [Number(match[2]), match[3]]
    if (i === 0 && blocks === 0 && down === undefined)
      throw unbuildable(
        'enc_arch',
        stage,
        'a stem of stride 2, which causal-gen announces and does not build',
      )
    for (let block = 0; block < blocks; block++) outputs.push({ width: widthAt(widths, i, stage), down: 1 })
    if (down !== undefined) outputs.push({ width: widthAt(widths, i + 1, stage), down: Number(down) })
  })
  if (outputs[0] && outputs[0].width !== widths[0])
    throw unbuildable('enc_arch', stages[0]!, 'a stem of one width before blocks of another')
  if (outputs.length === 0) throw unbuildable('enc_arch', enc_arch, 'no block at all')
  if (Number(stages[0]!.split('b')[0]) !== input_res)
    throw unbuildable('enc_arch', stages[0]!, `a first stage that is not at input_res ${input_res}`)
  return outputs.map(({ width, down }, i) => ({
    inputs: outputs[Math.max(0, i - 1)]!.width,
    outputs: width,
    down,
  }))
}

/**
 * The decoder's blocks, in order: `'4b3'` is three blocks at 4².
 *
 * @throws ArgumentError naming the stage
 */
export function parseDecoder(config: HvaeConfig): readonly DecoderStage[] {
  const { dec_arch, widths, z_max_res } = config
  const coarseFirst = [...widths].reverse()
  const blocks = dec_arch.split(',').flatMap((stage, i) => {
    const match = /^(\d+)b(\d+)$/.exec(stage)
    if (!match) throw unreadable('dec_arch', stage, '4b3')
    const block = { resolution: Number(match[1]), width: widthAt(coarseFirst, i, stage) }
    return Array.from({ length: Number(match[2]) }, () => block)
  })
  if (blocks[0]?.resolution !== 1) throw unbuildable('dec_arch', dec_arch, 'a first stage that is not at 1²')
  const seen = encoderResolutions(config)
  return blocks.map(({ resolution, width }, i) => {
    const next = blocks[Math.min(blocks.length - 1, i + 1)]!
    const stage = `${resolution}b`
    if (next.resolution < resolution) throw unbuildable('dec_arch', stage, 'a stage finer than the next')
    if (next.width > width)
      throw unbuildable('widths', `${width} before ${next.width}`, 'a decoder that widens')
    const stochastic = resolution <= z_max_res
    if (stochastic && !seen.has(resolution))
      throw unbuildable(
        'dec_arch',
        stage,
        `latents at ${resolution}² where the encoder stops at ${[...seen]}`,
      )
    return { resolution, inputs: width, outputs: next.width, stochastic }
  })
}

/** Sizes at which the encoder leaves activations; odd ones above 1 are padded by one. */
export function encoderResolutions(config: HvaeConfig): ReadonlySet<number> {
  const sizes = new Set<number>()
  let size = config.input_res
  for (const { down } of parseEncoder(config)) {
    size = padded(Math.floor(size / down))
    sizes.add(size)
  }
  return sizes
}

/** The learnt biases of the decoder: one per resolution up to `bias_max_res`, as `[resolution, width]`. */
export function biasStages(config: HvaeConfig): readonly (readonly [resolution: number, width: number])[] {
  const resolutions = [...new Set(parseDecoder(config).map(({ resolution }) => resolution))]
  const coarseFirst = [...config.widths].reverse()
  return resolutions
    .map((resolution, i) => [resolution, coarseFirst[i]!] as const)
    .filter(([resolution]) => resolution <= config.bias_max_res)
}

/** An odd size above 1 grows by one. */
export const padded = (size: number): number => (size % 2 === 1 && size > 1 ? size + 1 : size)

function widthAt(widths: readonly number[], i: number, stage: string): number {
  const width = widths[i]
  if (width !== undefined) return width
  throw unbuildable('widths', `[${widths}]`, `no width for what follows ${stage}`)
}

function unreadable(setting: string, stage: string, example: string): ArgumentError {
  return new ArgumentError({
    rule: `hvaeConfig reads ${setting} as stages such as ${example}, joined by commas`,
    got: JSON.stringify(stage),
    mend: 'Copy the string from the hparams of the checkpoint.',
  })
}

function unbuildable(setting: string, value: string, what: string): ArgumentError {
  return new ArgumentError({
    rule: `hvaeConfig builds ${setting} only where encoder, decoder and widths meet`,
    got: `${value}: ${what}`,
    mend: 'Copy enc_arch, dec_arch and widths from one set of hparams.',
  })
}
