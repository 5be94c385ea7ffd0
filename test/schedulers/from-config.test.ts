import { describe, expect, it } from 'vitest'
import { ArgumentError, CheckpointError } from '../../src/core/index.js'
import { type SchedulerMethod, schedulerFromConfig } from '../../src/schedulers/index.js'

/** scheduler/scheduler_config.json of Stable Diffusion 1.5. */
const sd15 = {
  _class_name: 'PNDMScheduler',
  _diffusers_version: '0.6.0',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
  clip_sample: false,
}

describe('schedulerFromConfig', () => {
  it('reads the config of Stable Diffusion 1.5 as it is', () => {
    const { scheduler, method, patched } = schedulerFromConfig(sd15, { steps: 20 })
    expect([scheduler.name, method, patched]).toEqual(['pndm', 'pndm', []])
    expect(scheduler.timesteps.slice(0, 3)).toEqual([951, 901, 901])
    expect(scheduler.alphasCumprod[0]).toBe(Math.fround(0.9991499781608582))
  })

  it("takes the target class's default for what the config leaves out", () => {
    const first = (method: SchedulerMethod) =>
      schedulerFromConfig(sd15, { steps: 20, method }).scheduler.timesteps[0]
    expect(first('ddim')).toBe(951)
    expect(first('ddim-inverse')).toBe(1)
    expect(first('ddpm')).toBe(951)
    expect(first('dpm-solver++')).toBe(999)
    expect(first('euler')).toBe(999)
    expect(first('euler-ancestral')).toBe(999)
    expect(first('lcm')).toBe(999)
    const spaced = { ...sd15, timestep_spacing: 'leading' }
    expect(schedulerFromConfig(spaced, { steps: 20, method: 'euler' }).scheduler.timesteps[0]).toBe(951)
  })

  it('mends old configs as the pipeline does, and says so', () => {
    const { _class_name, beta_start, beta_end, beta_schedule } = { ...sd15, _class_name: 'DDIMScheduler' }
    const old = { _class_name, beta_start, beta_end, beta_schedule, set_alpha_to_one: false }
    const mended = schedulerFromConfig(old, { steps: 20 })
    expect(mended.patched).toEqual(['steps_offset 0 -> 1', 'clip_sample true -> false'])
    expect(mended.scheduler.timesteps.at(-1)).toBe(1)
    expect(mended.scheduler).toHaveProperty('invert')
    const raw = schedulerFromConfig(old, { steps: 20, patch: false })
    expect(raw.patched).toEqual([])
    expect(raw.scheduler.timesteps.at(-1)).toBe(0)
    expect(raw.scheduler).not.toHaveProperty('invert') // clip_sample is true in the class's defaults
  })

  it('reads v prediction, zero terminal SNR and trailing spacing', () => {
    const { scheduler } = schedulerFromConfig(
      {
        ...sd15,
        _class_name: 'DDIMScheduler',
        prediction_type: 'v_prediction',
        rescale_betas_zero_snr: true,
        timestep_spacing: 'trailing',
      },
      { steps: 10 },
    )
    expect(scheduler.prediction).toBe('v')
    expect(scheduler.alphasCumprod[999]).toBe(0)
    expect(scheduler.timesteps[0]).toBe(999)
  })

  it('reads what diffusers saves for DPM-Solver++, with every default spelled out', () => {
    const saved = {
      ...sd15,
      _class_name: 'DPMSolverMultistepScheduler',
      algorithm_type: 'sde-dpmsolver++',
      euler_at_final: false,
      final_sigmas_type: 'zero',
      flow_shift: 1,
      lambda_min_clipped: Number.NEGATIVE_INFINITY,
      solver_order: 2,
      solver_type: 'midpoint',
      use_karras_sigmas: true,
      use_beta_sigmas: false,
      variance_type: null,
    }
    const { scheduler } = schedulerFromConfig(saved, { steps: 10 })
    expect(scheduler.stochastic).toBe(true)
    expect(scheduler.timesteps).toEqual([999, 916, 815, 687, 523, 327, 146, 41, 7, 0])
  })

  it('names the classes that it has when it does not have one, and takes their schedule with a method', () => {
    for (const _class_name of [
      'UniPCMultistepScheduler',
      'FlowMatchEulerDiscreteScheduler',
      'toString',
      undefined,
    ]) {
      expect(() => schedulerFromConfig({ ...sd15, _class_name }, { steps: 10 })).toThrow(CheckpointError)
      expect(() => schedulerFromConfig({ ...sd15, _class_name }, { steps: 10 })).toThrow(
        /DDIMScheduler.*method/s,
      )
    }
    const unipc = { ...sd15, _class_name: 'UniPCMultistepScheduler', solver_type: 'bh2' }
    expect(schedulerFromConfig(unipc, { steps: 10, method: 'dpm-solver++' }).method).toBe('dpm-solver++')
    expect(() => schedulerFromConfig(sd15, { steps: 10, method: 'heun' as never })).toThrow(CheckpointError)
  })

  it.each([
    ['beta_schedule', 'sigmoid'],
    ['prediction_type', 'flow_prediction'],
    ['beta_start', '0.1'],
    ['timestep_spacing', 'random'],
    ['solver_order', 3],
    ['solver_type', 'heun'],
    ['lambda_min_clipped', -5.1],
    ['use_exponential_sigmas', true],
    ['variance_type', 'learned_range'],
  ])('refuses %s = %s by name', (key, value) => {
    const config = { ...sd15, [key]: value }
    expect(() => schedulerFromConfig(config, { steps: 10, method: 'dpm-solver++' })).toThrow(CheckpointError)
    expect(() => schedulerFromConfig(config, { steps: 10, method: 'dpm-solver++' })).toThrow(
      `${key} = ${JSON.stringify(value)}`,
    )
  })

  it('leaves steps to the method', () => {
    for (const steps of [0, 1.5, Number.NaN, 2000]) {
      expect(() => schedulerFromConfig(sd15, { steps })).toThrow(ArgumentError)
    }
  })
})
