/**
 * What classifiers say of edited pictures. A classifier is any function; two adapters make one of a file.
 *
 * @packageDocumentation
 */
export { type Classifier, column, type LoadedClassifier, type Predictions } from './classifier.js'
export {
  type BinaryEffectiveness,
  binaryEffectiveness,
  type ClassEffectiveness,
  classEffectiveness,
  type NumericEffectiveness,
  numericEffectiveness,
} from './effectiveness.js'
export { type Flips, predictionFlips } from './flips.js'
export {
  loadOnnxClassifier,
  type OnnxClassifierOptions,
  type OnnxOutput,
  type OnnxRuntime,
  type OnnxSession,
  type OnnxSessions,
  type OnnxTensors,
} from './onnx-classifier.js'
export { opNorm } from './op-norm.js'
export {
  type Gain,
  type PredictionGain,
  type PredictionGainInput,
  predictionGain,
} from './prediction-gain.js'
export { type TfjsClassifierOptions, tfjsClassifier } from './tfjs-classifier.js'
