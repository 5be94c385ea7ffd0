/**
 * Which TensorFlow.js backend runs the tensors.
 *
 * @packageDocumentation
 */
export { type BackendChoice, type BackendName, type PassedOver, useBackend } from './use-backend.js'
