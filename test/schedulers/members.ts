import {
  ddim,
  ddimInverse,
  ddpm,
  dpmSolverPlusPlus,
  euler,
  eulerAncestral,
  lcm,
  pndm,
  type Scheduler,
  type SchedulerOptions,
} from '../../src/schedulers/index.js'

type Maker = (
  options: Pick<SchedulerOptions, 'steps' | 'prediction' | 'trainSteps' | 'zeroTerminalSnr'>,
) => Scheduler

/** Every scheduler of the room; a new member joins the conformance suite by one line. */
export const members: readonly [
  name: string,
  make: Maker,
  predictions?: readonly ('epsilon' | 'v' | 'sample')[],
][] = [
  ['ddim', ddim],
  ['ddim trailing', (options) => ddim({ spacing: 'trailing', ...options })],
  ['ddim eta 1', (options) => ddim({ eta: 1, ...options })],
  ['ddim-inverse', ddimInverse],
  ['ddpm', ddpm],
  ['pndm', pndm, ['epsilon', 'v']],
  ['pndm Runge-Kutta', (options) => pndm({ skipPrk: false, ...options }), ['epsilon', 'v']],
  ['dpm-solver++', dpmSolverPlusPlus],
  ['dpm-solver++ Karras', (options) => dpmSolverPlusPlus({ karras: true, ...options })],
  ['dpm-solver++ SDE', (options) => dpmSolverPlusPlus({ sde: true, ...options })],
  ['euler', euler],
  ['euler Karras', (options) => euler({ karras: true, ...options })],
  ['euler-ancestral', eulerAncestral],
  ['lcm', lcm],
]
