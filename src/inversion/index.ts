/**
 * An image to a path that reproduces it: DDIM, null-text, negative-prompt and pivot-pinned inversion.
 *
 * @packageDocumentation
 */
export { ddimInversion } from './ddim-inversion.js'
export type { InversionOptions } from './ddim-path.js'
export {
  ddimTrajectory,
  type FixedPointOptions,
  type Trajectory,
  type TrajectoryInput,
} from './ddim-trajectory.js'
export { encodeSingleImage } from './encode-image.js'
export { disposeInversion, expectInversion, type Inversion, type InversionStep } from './inversion.js'
export { negativePrompt } from './negative-prompt.js'
export { type NullTextOptions, nullText } from './null-text.js'
export { pivotPinned } from './pivot-pinned.js'
export { reconstruct, replay } from './reconstruct.js'
export { inversionFromTensors, inversionToTensors, type StoredInversion } from './serialise.js'
