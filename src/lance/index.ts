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
export { CaptionError } from './caption-error.js'
export {
  type CaptionTableOptions,
  captionTable,
  parseCaptionTable,
} from './captions/caption-table.js'
export type { Captioner, NamedPicture } from './captions/captioner.js'
export { cutWords, expectFits, withinLength } from './captions/cut-words.js'
export { type AttributeSource, templateCaptioner } from './captions/template-captioner.js'
export { type VisionCaptionerOptions, visionCaptioner } from './captions/vision-captioner.js'
export {
  type CaptionStyle,
  CHEXPERT_FINDINGS,
  type ClinicalAttributes,
  type ClinicalCaption,
  type ClinicalFinding,
  type ClinicalKind,
  type ClinicalPerturber,
  type ClinicalPerturberOptions,
  captionOf,
  clinicalPerturber,
  DEVICES,
  differences,
  type FindingName,
  type FindingWording,
  type HeadPiece,
  type IntervenedCaption,
  type InterveneOptions,
  intervene,
  type Laterality,
  parseCaption,
  type Race,
  renderCaption,
  type Severity,
  type Sex,
  saidAttributes,
  saidValue,
  type View,
  type Wording,
} from './clinical/index.js'
export { bestPassing, type Judged } from './edit/best.js'
export { type Counterfactuals, counterfactuals, type SkippedEdit } from './edit/counterfactuals.js'
export { type Counterfactual, type EditedTogether, editTogether, type Try } from './edit/edit-together.js'
export { emphasisedWords, type RegionWords, regionWords } from './edit/emphasis.js'
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
  type MeasuredGate,
  type PredictionConsistencyGate,
  type ThresholdGate,
  type Verdict,
} from './gates/gate.js'
export { type JudgedEdit, type PassRate, passRates } from './gates/pass-rates.js'
export type { AnswerCacheOptions } from './language-model/answer-cache.js'
export type { ChatEndpoint } from './language-model/chat.js'
export { LANCE_KINDS, type LanceKind } from './language-model/instructions.js'
export { LanguageModelError, type LanguageModelFailure } from './language-model/language-model-error.js'
export {
  type LanguageModelPerturberOptions,
  languageModelPerturber,
} from './language-model/language-model-perturber.js'
export { readLanceList } from './language-model/read-edits.js'
export { type NaturalLexicon, naturalLexicon, type WordGroup } from './natural/lexicon.js'
export { type NaturalPerturberOptions, naturalPerturber } from './natural/natural-perturber.js'
export { distinct, expectDistinct, type Perturbation, type Perturber, perturbation } from './perturbation.js'
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
export { isEmptyDiff, type WordDiff, type WordDiffOptions, wordDiff } from './word-diff.js'
export { alignWords, type WordChange } from './words/align-words.js'
