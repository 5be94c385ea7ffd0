/**
 * Which TensorFlow.js backend runs the tensors, what it runs on, and how much it may hold.
 *
 * @packageDocumentation
 */
export { type BackendName, type Candidate, candidates } from './candidates.js'
export type { BackendDevice } from './describe-device.js'
export { explainStart, type StartFailure } from './explain-start.js'
export { missingKernels } from './missing-kernels.js'
export { selfTest } from './self-test.js'
export { nativeKernelsFile } from './tensorflow/native-kernels.js'
export { type BackendChoice, type BackendOptions, type PassedOver, useBackend } from './use-backend.js'
