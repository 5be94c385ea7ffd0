import { biasStages, parseDecoder, parseEncoder } from './architecture.js'
import type { HvaeConfig } from './settings.js'

/**
 * Every tensor of causal-gen's `HVAE`, named and shaped as its `state_dict` has it, in its order.
 *
 * @returns names to PyTorch shapes
 */
export function hvaeShapes(config: HvaeConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  const conv = (name: string, inputs: number, outputs: number, kernel: number) => {
    shapes.set(`${name}.weight`, [outputs, inputs, kernel, kernel])
    shapes.set(`${name}.bias`, [outputs])
  }
  const block = (name: string, inputs: number, inner: number, outputs: number, kernel: number) => {
    const light = config.vr === 'light'
    conv(`${name}.conv.1`, inputs, inner, light ? kernel : 1)
    if (light) return conv(`${name}.conv.3`, inner, outputs, kernel)
    conv(`${name}.conv.3`, inner, inner, kernel)
    conv(`${name}.conv.5`, inner, inner, kernel)
    conv(`${name}.conv.7`, inner, outputs, 1)
  }
  const { widths, input_channels, bottleneck, z_dim, context_dim, cond_prior, q_correction } = config

  conv('encoder.stem', input_channels, widths[0]!, 7)
  parseEncoder(config).forEach(({ inputs, outputs, down }, i) => {
    const name = `encoder.blocks.${i}`
    block(name, inputs, Math.floor(inputs / bottleneck), outputs, 3)
    if (down > 1 || inputs > outputs) conv(`${name}.width_proj`, inputs, outputs, 1)
  })

  parseDecoder(config).forEach(({ resolution, inputs, outputs, stochastic }, i) => {
    const name = `decoder.blocks.${i}`
    const [inner, kernel] = [Math.floor(inputs / bottleneck), resolution > 2 ? 3 : 1]
    block(`${name}.prior`, inputs + (cond_prior ? context_dim : 0), inner, 2 * z_dim + inputs, kernel)
    if (stochastic) block(`${name}.posterior`, 2 * inputs + context_dim, inner, 2 * z_dim, kernel)
    conv(`${name}.z_proj`, z_dim + context_dim, inputs, 1)
    if (!q_correction) conv(`${name}.z_feat_proj`, z_dim + inputs, outputs, 1)
    block(`${name}.conv`, inputs, inner, outputs, kernel)
    if (inputs > outputs) conv(`${name}.conv.width_proj`, inputs, outputs, 1)
  })
  biasStages(config).forEach(([resolution, width], i) => {
    shapes.set(`decoder.bias.${i}`, [1, width, resolution, resolution])
  })

  conv('likelihood.x_loc', widths[0]!, input_channels, 1)
  conv('likelihood.x_logscale', widths[0]!, input_channels, 1)
  if (input_channels === 3) conv('likelihood.channel_coeffs', widths[0]!, 3, 1)
  return shapes
}

/** Tensors that the checkpoint has and no output depends on: projections between equal widths, the last prior's link. */
export function idleParameters(config: HvaeConfig): ReadonlySet<string> {
  const names = parseEncoder(config).flatMap(({ inputs, outputs, down }, i) =>
    down > 1 && inputs === outputs ? [`encoder.blocks.${i}.width_proj`] : [],
  )
  if (!config.q_correction) names.push(`decoder.blocks.${parseDecoder(config).length - 1}.z_feat_proj`)
  return new Set(names.flatMap((name) => [`${name}.weight`, `${name}.bias`]))
}
