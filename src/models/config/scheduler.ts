import { z } from 'zod'
import { parseConfig } from './read.js'

/**
 * A `scheduler_config.json`, types checked and nothing filled in: what a missing key means depends on the class
 * that the sampler is built as, so the defaults are the schedulers' own.
 */
export interface SchedulerConfig {
  /** The scheduler the model was published with: `PNDMScheduler`, `DDIMScheduler`, ... */
  readonly _class_name?: string | undefined
  /** Timesteps of the training schedule: 1000. */
  readonly num_train_timesteps?: number | undefined
  /** Variance added by the first step: 0.00085. */
  readonly beta_start?: number | undefined
  /** Variance added by the last step: 0.012. */
  readonly beta_end?: number | undefined
  /** How betas go from first to last: `linear`, `scaled_linear`, `squaredcos_cap_v2`. */
  readonly beta_schedule?: string | undefined
  /** What the network predicts; missing means `epsilon`. */
  readonly prediction_type?: 'epsilon' | 'v_prediction' | 'sample' | undefined
  /** Which timesteps are sampled: `leading`, `trailing`, `linspace`. */
  readonly timestep_spacing?: 'leading' | 'trailing' | 'linspace' | undefined
  /** Added to every timestep of `leading`. */
  readonly steps_offset?: number | undefined
  /** Whether the last step goes to a noise-free sample. */
  readonly set_alpha_to_one?: boolean | undefined
  /** Clip the predicted sample to [-clip_sample_range, clip_sample_range]. */
  readonly clip_sample?: boolean | undefined
  /** Whether betas are rescaled so that the last timestep is pure noise. */
  readonly rescale_betas_zero_snr?: boolean | undefined
  /** Whether PNDM skips its Runge-Kutta start. */
  readonly skip_prk_steps?: boolean | undefined
  /** Every other key, as it was read. */
  readonly [key: string]: unknown
}

const schema = z.looseObject({
  _class_name: z.string().optional(),
  num_train_timesteps: z.int().positive().optional(),
  beta_start: z.number().optional(),
  beta_end: z.number().optional(),
  beta_schedule: z.string().optional(),
  prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).optional(),
  timestep_spacing: z.enum(['leading', 'trailing', 'linspace']).optional(),
  steps_offset: z.int().optional(),
  set_alpha_to_one: z.boolean().optional(),
  clip_sample: z.boolean().optional(),
  rescale_betas_zero_snr: z.boolean().optional(),
  skip_prk_steps: z.boolean().optional(),
})

/**
 * Reads a scheduler's config.
 *
 * @param raw - the parsed `scheduler/scheduler_config.json`
 * @throws CheckpointError naming the malformed keys
 */
export function schedulerConfig(raw: unknown): SchedulerConfig {
  return parseConfig(schema, raw, 'schedulerConfig')
}
