/**
 * Captions to counterfactual captions, edits that match them, the gates that edits must pass, and the record of it.
 *
 * @packageDocumentation
 */
export {
  type ClusterableEdit,
  type ClusterOptions,
  clusterEdits,
  type EditCluster,
} from './analysis/clusters.js'
export {
  type IntervalOptions,
  type MeanSensitivity,
  meanSensitivity,
  type SensitivityRow,
} from './analysis/mean-sensitivity.js'
export {
  type Probabilities,
  predictionChange,
  type SensitivityOptions,
  sensitivity,
} from './analysis/sensitivity.js'
export { bestPassing, type Judged } from './edit/best.js'
export { type Counterfactuals, counterfactuals, type SkippedEdit } from './edit/counterfactuals.js'
export { type Counterfactual, type EditedTogether, editTogether, type Try } from './edit/edit-together.js'
export { emphasisedWords, regionWords } from './edit/emphasis.js'
export { type CounterfactualOptions, type EditSettings, selfReplaceSweep } from './edit/options.js'
export { rowsWithinBudget } from './edit/rows.js'
export { whyUnchanged } from './edit/skip.js'
export { closePicture, openPicture, replayPicture, type SourcePicture } from './edit/source-picture.js'
export { cosine, type Embedder } from './gates/embedder.js'
export {
  type Evidence,
  gatherEvidence,
  type Similarities,
  type SourceEvidence,
  sourceEvidence,
} from './gates/evidence.js'
export {
  type CustomGate,
  type Gate,
  type GatePreset,
  gatePresets,
  judge,
  type ThresholdGate,
  type Verdict,
} from './gates/gate.js'
export { type JudgedEdit, type PassRate, passRates } from './gates/pass-rates.js'
export type { Perturbation, Perturber } from './perturbation.js'
export type { FolderPicture, LanceRunOptions, ModelUnderTest } from './runner/options.js'
export {
  type EditFiles,
  type EditRecord,
  type Prediction,
  type Predictions,
  readRecords,
} from './runner/records.js'
export { type LanceRun, runLance } from './runner/run-lance.js'
export { type KindSensitivity, type LanceSummary, summarise } from './runner/summary.js'
export type { WordDiff } from './word-diff.js'
