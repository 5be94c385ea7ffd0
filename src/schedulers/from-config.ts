import { z } from 'zod'
import { CheckpointError } from '../core/index.js'
import { type ConfigKeys, classDefaults, classNames, type SchedulerMethod, schema } from './config-schema.js'
import { ddim } from './ddim.js'
import { ddimInverse } from './ddim-inverse.js'
import { ddpm } from './ddpm.js'
import { dpmSolverPlusPlus } from './dpm-solver.js'
import { euler } from './euler.js'
import { eulerAncestral } from './euler-ancestral.js'
import { lcm } from './lcm.js'
import { pndm } from './pndm.js'
import type { Prediction, Scheduler } from './scheduler.js'

/** Options of {@link schedulerFromConfig}. */
export interface FromConfigOptions {
  /** Number of sampling steps. */
  readonly steps: number
  /** Another method than the config's own, with the same noise schedule. */
  readonly method?: SchedulerMethod
  /** Mends old Stable Diffusion configs as diffusers' pipeline does: `steps_offset` to 1, `clip_sample` to false; true. */
  readonly patch?: boolean
}

/** What a `scheduler_config.json` came to. */
export interface ConfiguredScheduler {
  /** The scheduler. */
  readonly scheduler: Scheduler
  /** Its method. */
  readonly method: SchedulerMethod
  /** What was mended, e.g. `steps_offset 0 -> 1`; empty when the config was taken as it is. */
  readonly patched: readonly string[]
}

/**
 * The scheduler that a diffusers folder describes in `scheduler/scheduler_config.json`.
 *
 * A key that the config leaves out takes the default of the *target* class, as `from_config` does: Euler made from
 * the PNDM config of Stable Diffusion 1.5 is spaced by linspace although PNDM was leading. Without `patch` the
 * config is taken to the letter.
 *
 * ```ts
 * const { scheduler, patched } = schedulerFromConfig(JSON.parse(text), { steps: 50, method: 'ddim' })
 * ```
 *
 * @param config - the parsed JSON
 * @param options - `steps`, and another method where wanted
 * @throws CheckpointError on a class that is not supported, or a key with a value that is not
 * @throws ArgumentError on steps that the schedule cannot take
 */
export function schedulerFromConfig(
  config: Readonly<Record<string, unknown>>,
  { steps, method = methodOf(config), patch = true }: FromConfigOptions,
): ConfiguredScheduler {
  if (!(method in classDefaults)) throw unknownClass(String(method))
  const parsed = schema.safeParse({ ...classDefaults[method], ...config })
  if (!parsed.success) throw badKeys(config, parsed.error)
  const { patched, ...keys } = patch ? mend(parsed.data) : { ...parsed.data, patched: [] }
  return { scheduler: build(method, steps, keys), method, patched }
}

function mend(keys: ConfigKeys): ConfigKeys & { patched: string[] } {
  const patched = [
    ...(keys.steps_offset === 1 ? [] : [`steps_offset ${keys.steps_offset} -> 1`]),
    ...(keys.clip_sample ? ['clip_sample true -> false'] : []),
  ]
  return { ...keys, steps_offset: 1, clip_sample: false, patched }
}

function build(method: SchedulerMethod, steps: number, keys: ConfigKeys): Scheduler {
  const prediction: Prediction = keys.prediction_type === 'v_prediction' ? 'v' : keys.prediction_type
  const options = {
    steps,
    trainSteps: keys.num_train_timesteps,
    betaSchedule: keys.beta_schedule,
    betaStart: keys.beta_start,
    betaEnd: keys.beta_end,
    ...(keys.trained_betas ? { trainedBetas: keys.trained_betas } : {}),
    zeroTerminalSnr: keys.rescale_betas_zero_snr,
    prediction,
    spacing: keys.timestep_spacing,
    stepsOffset: keys.steps_offset,
  }
  const thresholding = keys.thresholding && {
    quantile: keys.dynamic_thresholding_ratio,
    max: keys.sample_max_value,
  }
  const clipSample = keys.clip_sample && keys.clip_sample_range
  const setAlphaToOne = keys.set_alpha_to_one
  const karras = keys.use_karras_sigmas ?? false
  const finalSigma = keys.final_sigmas_type
  switch (method) {
    case 'ddim':
      return ddim({ ...options, clipSample, thresholding, setAlphaToOne })
    case 'ddim-inverse':
      return ddimInverse({ ...options, clipSample, setAlphaToOne })
    case 'ddpm':
      return ddpm({
        ...options,
        clipSample,
        thresholding,
        variance: keys.variance_type === 'fixed_large' ? 'large' : 'small',
      })
    case 'pndm':
      return pndm({ ...options, setAlphaToOne, skipPrk: keys.skip_prk_steps })
    case 'dpm-solver++':
      return dpmSolverPlusPlus({
        ...options,
        thresholding,
        karras,
        finalSigma,
        sde: keys.algorithm_type === 'sde-dpmsolver++',
        order: keys.solver_order,
        lowerOrderFinal: keys.lower_order_final,
      })
    case 'euler':
      return euler({ ...options, karras, finalSigma })
    case 'euler-ancestral':
      return eulerAncestral(options)
    case 'lcm':
      return lcm({
        ...options,
        clipSample,
        thresholding,
        originalSteps: keys.original_inference_steps,
        timestepScaling: keys.timestep_scaling,
      })
  }
}

function methodOf(config: Readonly<Record<string, unknown>>): SchedulerMethod {
  const className = String(config._class_name)
  const method = Object.hasOwn(classNames, className) ? classNames[className] : undefined
  if (method === undefined) throw unknownClass(className)
  return method
}

function unknownClass(got: string): CheckpointError {
  return new CheckpointError({
    rule: `a scheduler config names one of ${Object.keys(classNames).join(', ')}`,
    got,
    mend: `Pass method, one of ${Object.keys(classDefaults).join(', ')}, to use its noise schedule with that.`,
  })
}

function badKeys(config: Readonly<Record<string, unknown>>, error: z.ZodError): CheckpointError {
  const keys = error.issues.map(({ path }) => String(path[0]))
  return new CheckpointError({
    rule: `a scheduler config is as diffusers saves it, within what this library supports: ${z.prettifyError(error)}`,
    got: keys.map((key) => `${key} = ${JSON.stringify(config[key])}`).join(', '),
    mend: 'Mend these keys in scheduler_config.json, or make the scheduler by calling its method directly.',
    cause: error,
  })
}
