/** The 14 labels of CheXpert, in their order; `'no finding'` is one of them. */
export const CHEXPERT_FINDINGS = [
  'no finding',
  'enlarged cardiomediastinum',
  'cardiomegaly',
  'lung opacity',
  'lung lesion',
  'edema',
  'consolidation',
  'pneumonia',
  'atelectasis',
  'pneumothorax',
  'pleural effusion',
  'pleural other',
  'fracture',
  'support devices',
] as const

/** Devices that a caption may name; each is a support device. */
export const DEVICES = [
  'pacemaker',
  'defibrillator',
  'central line',
  'endotracheal tube',
  'tracheostomy tube',
  'nasogastric tube',
  'chest tube',
  'sternotomy wires',
] as const

/** A finding or a device that the grammar knows. */
export type FindingName = (typeof CHEXPERT_FINDINGS)[number] | (typeof DEVICES)[number]

/** How much of it: one word, or two grades joined by `to`. */
export type Severity = string

/** Where it is. */
export type Laterality = 'left' | 'right' | 'bilateral'

/** Sex of the subject, as recorded. */
export type Sex = 'male' | 'female'

/** The groups that captions of MIMIC-CXR and CheXpert name. */
export type Race = 'white' | 'black' | 'Asian' | 'Hispanic' | 'Native American' | 'Pacific Islander'

/** The projection. */
export type View = 'PA' | 'AP' | 'lateral' | 'frontal'

/** A finding that a caption tells or denies. What a caption leaves out is not listed: nobody said. */
export interface ClinicalFinding {
  /** Which. */
  readonly name: FindingName
  /** Told, or denied. `{ name: 'no finding', present: true }` says that there is none. */
  readonly present: boolean
  /** Only of what is present. */
  readonly severity?: Severity
  /** Only of what is present. */
  readonly laterality?: Laterality
}

/** What a caption says of an X-ray. */
export interface ClinicalAttributes {
  /** Whole years. */
  readonly age?: number
  /** Sex. */
  readonly sex?: Sex
  /** Race. */
  readonly race?: Race
  /** View. */
  readonly view?: View
  /** In the order of the caption. */
  readonly findings: readonly ClinicalFinding[]
}

/** A piece of the caption before its findings; all pieces in a row are that part of the caption. */
export interface HeadPiece {
  /** With the space before it. */
  readonly text: string
  /** What it says, if it says an attribute or must agree with one. */
  readonly slot?: 'age' | 'sex' | 'race' | 'view' | 'normal' | 'article'
}

/** How one finding was worded. */
export interface FindingWording {
  /** Its words, negation included: `no evidence of a small effusion`. */
  readonly text: string
  /** Its noun alone: `effusion`. */
  readonly noun: string
  /** Words between laterality and noun: `lower lobe`; empty without. */
  readonly zone: string
  /** False where its words alone do not say the same in a list, as of B in `without A or B`. */
  readonly whole: boolean
}

/** How a caption was worded, kept so that an edit touches nothing but what it changes. */
export interface Wording {
  /** Up to the findings. */
  readonly head: readonly HeadPiece[]
  /** The findings as written, with what leads to them; empty without. */
  readonly clause: string
  /** The words that lead to the findings, e.g. `with`. */
  readonly link: string
  /** One for each of the findings. */
  readonly findings: readonly FindingWording[]
  /** Between two findings, and between the last two: `[', ', ' and ']`. */
  readonly joints: readonly [string, string]
  /** What ends the caption: a full stop or nothing. */
  readonly end: string
}

/** A caption that has been read: what it says, and how it was worded. */
export interface ClinicalCaption extends ClinicalAttributes {
  /** How it was worded. */
  readonly wording: Wording
}
