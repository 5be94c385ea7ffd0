export {
  CHEXPERT_FINDINGS,
  type ClinicalAttributes,
  type ClinicalCaption,
  type ClinicalFinding,
  DEVICES,
  type FindingName,
  type FindingWording,
  type HeadPiece,
  type Laterality,
  type Race,
  type Severity,
  type Sex,
  type View,
  type Wording,
} from './attributes.js'
export {
  type ClinicalKind,
  type ClinicalPerturber,
  type ClinicalPerturberOptions,
  clinicalPerturber,
} from './clinical-perturber.js'
export { differences, saidAttributes, saidValue } from './differences.js'
export { type IntervenedCaption, type InterveneOptions, intervene } from './intervene.js'
export { parseCaption } from './parse-caption.js'
export { type CaptionStyle, captionOf, renderCaption } from './render-caption.js'
