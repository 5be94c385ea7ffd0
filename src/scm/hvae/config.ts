import { z } from 'zod'
import { ArgumentError } from '../../core/index.js'
import { parseDecoder, parseEncoder } from './architecture.js'
import type { HvaeConfig } from './settings.js'

const settings = z.object({
  enc_arch: z.string().default('64b1d2,32b1d2,16b1d2,8b1d8,1b2'),
  dec_arch: z.string().default('1b2,8b2,16b2,32b2,64b2'),
  widths: z.array(z.int().positive()).min(1).default([16, 32, 48, 64, 128]),
  bottleneck: z.int().positive().default(4),
  z_dim: z.int().positive().default(16),
  z_max_res: z.int().positive().default(192),
  bias_max_res: z.int().positive().default(64),
  input_res: z.int().positive().default(64),
  input_channels: z.union([z.literal(1), z.literal(3)]).default(1),
  context_dim: z.int().nonnegative().default(4),
  cond_prior: z.boolean().default(false),
  q_correction: z.boolean().default(false),
  x_like: z.enum(['fixed_dgauss', 'shared_dgauss', 'diag_dgauss']).default('diag_dgauss'),
  std_init: z.number().nonnegative().default(0),
  kl_free_bits: z.number().nonnegative().default(0),
  vr: z.enum(['light']).nullable().default(null),
  hps: z.string().optional(),
})

/**
 * A config from the `hparams` of a causal-gen checkpoint (`json.dump(vars(args))`), or from a few of its names:
 * what is left out takes causal-gen's default, what is not the model's is ignored. As there, `'ukbb'` in `hps`
 * selects the light blocks.
 *
 * @param json - plain data under causal-gen's names
 * @throws ArgumentError naming the setting, or the stage of an architecture string, that cannot be built
 */
export function hvaeConfig(json: unknown): HvaeConfig {
  const parsed = settings.safeParse(json)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw new ArgumentError({
      rule: `hvaeConfig needs ${path.join('.') || 'an object'} as causal-gen has it`,
      got: message,
      mend: 'Pass the hparams of the checkpoint.',
    })
  }
  const { hps, vr, ...rest } = parsed.data
  const config: HvaeConfig = Object.freeze({ ...rest, vr: vr ?? (hps?.includes('ukbb') ? 'light' : null) })
  parseEncoder(config)
  parseDecoder(config)
  return config
}

const chest = {
  input_res: 192,
  enc_arch: '192b1d2,96b3d2,48b7d2,24b11d2,12b7d2,6b3d6,1b2',
  dec_arch: '1b2,6b4,12b8,24b12,48b8,96b4,192b2',
  widths: [32, 64, 96, 128, 160, 192, 512],
}

/** The name of one of causal-gen's published architectures. */
export type HvaePreset = 'mimic192' | 'ukbb192' | 'ukbb64' | 'morphomnist'

/** causal-gen's published architectures, for {@link hvaeConfig}: `hvaeConfig({ ...hvaePresets.mimic192, cond_prior: true })`. */
export const hvaePresets: Readonly<Record<HvaePreset, Partial<HvaeConfig>>> = {
  /** Chest X-rays of 192²: age, race, sex and finding, 6 numbers. */
  mimic192: { ...chest, context_dim: 6 },
  /** Brain slices of 192², light blocks. */
  ukbb192: { ...chest, context_dim: 4, vr: 'light' },
  /** Brain slices of 64², light blocks. */
  ukbb64: {
    input_res: 64,
    enc_arch: '64b3d2,32b31d2,16b15d2,8b7d2,4b3d4,1b2',
    dec_arch: '1b2,4b4,8b8,16b16,32b32,64b4',
    widths: [32, 64, 128, 256, 512, 1024],
    context_dim: 4,
    vr: 'light',
  },
  /** Digits of 32²: thickness, intensity and class, 12 numbers. */
  morphomnist: {
    input_res: 32,
    enc_arch: '32b3d2,16b3d2,8b3d2,4b3d4,1b4',
    dec_arch: '1b4,4b4,8b4,16b4,32b4',
    widths: [16, 32, 64, 128, 256],
    context_dim: 12,
  },
}
