import { ddimInversion, negativePrompt, nullText, pivotPinned } from '../../src/inversion/index.js'

/** Every inverter; a new one joins the conformance suites by a line here. */
export const inverters = {
  ddimInversion,
  negativePrompt,
  nullText: (...[model, image, options]: Parameters<typeof nullText>) =>
    nullText(model, image, { guidance: 2, learningRate: 0.1, innerSteps: 10, ...options }),
  pivotPinned,
} as const
