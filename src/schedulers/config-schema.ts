import { z } from 'zod'

/** The methods of this room, by the names that `schedulerFromConfig` takes. */
export type SchedulerMethod = keyof typeof classDefaults

/** The classes of diffusers that this room has. */
export const classNames: Readonly<Record<string, SchedulerMethod>> = {
  DDIMScheduler: 'ddim',
  DDIMInverseScheduler: 'ddim-inverse',
  DDPMScheduler: 'ddpm',
  PNDMScheduler: 'pndm',
  DPMSolverMultistepScheduler: 'dpm-solver++',
  EulerDiscreteScheduler: 'euler',
  EulerAncestralDiscreteScheduler: 'euler-ancestral',
  LCMScheduler: 'lcm',
}

// The defaults of diffusers, which are not Stable Diffusion's.
const linear = { beta_schedule: 'linear', beta_start: 0.0001, beta_end: 0.02, steps_offset: 0 } as const
const clipped = { ...linear, clip_sample: true, set_alpha_to_one: true, timestep_spacing: 'leading' } as const
/** What each class assumes for keys that its config leaves out. */
export const classDefaults = {
  ddim: clipped,
  'ddim-inverse': clipped,
  ddpm: clipped,
  pndm: { ...linear, set_alpha_to_one: false, timestep_spacing: 'leading', skip_prk_steps: false },
  'dpm-solver++': { ...linear, timestep_spacing: 'linspace' },
  euler: { ...linear, timestep_spacing: 'linspace' },
  'euler-ancestral': { ...linear, timestep_spacing: 'linspace' },
  lcm: {
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    beta_end: 0.012,
    steps_offset: 0,
    clip_sample: false,
  },
} as const

// Keys that change the numbers and have one supported value only.
const exactly = <const T extends z.core.util.Literal>(value: T) => z.literal(value).nullish()
const unsupported = {
  use_exponential_sigmas: exactly(false),
  use_beta_sigmas: exactly(false),
  use_lu_lambdas: exactly(false),
  use_flow_sigmas: exactly(false),
  euler_at_final: exactly(false),
  interpolation_type: exactly('linear'),
  timestep_type: exactly('discrete'),
  lambda_min_clipped: exactly(Number.NEGATIVE_INFINITY),
  solver_type: z.enum(['midpoint', 'logrho', 'bh1', 'bh2']).nullish(),
}

/** The keys that change the numbers; others pass unread. */
export const schema = z.looseObject({
  _class_name: z.string().optional(),
  num_train_timesteps: z.number().default(1000),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']),
  beta_start: z.number(),
  beta_end: z.number(),
  trained_betas: z.array(z.number()).nullish(),
  rescale_betas_zero_snr: z.boolean().default(false),
  prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon'),
  timestep_spacing: z.enum(['leading', 'trailing', 'linspace']).default('leading'),
  steps_offset: z.number(),
  set_alpha_to_one: z.boolean().default(true),
  clip_sample: z.boolean().default(false),
  clip_sample_range: z.number().default(1),
  thresholding: z.boolean().default(false),
  dynamic_thresholding_ratio: z.number().default(0.995),
  sample_max_value: z.number().default(1),
  skip_prk_steps: z.boolean().default(false),
  variance_type: z.enum(['fixed_small', 'fixed_small_log', 'fixed_large']).nullish(),
  algorithm_type: z.enum(['dpmsolver++', 'sde-dpmsolver++', 'deis']).default('dpmsolver++'),
  solver_order: z.union([z.literal(1), z.literal(2)]).default(2),
  lower_order_final: z.boolean().default(true),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  use_karras_sigmas: z.boolean().nullish(),
  original_inference_steps: z.number().default(50),
  timestep_scaling: z.number().default(10),
  ...unsupported,
})

/** A config with every key that matters. */
export type ConfigKeys = z.infer<typeof schema>
