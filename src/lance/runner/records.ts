import { readFile } from 'node:fs/promises'
import { writeAtomically } from '../../core/index.js'
import type { Try } from '../edit/edit-together.js'
import type { Perturbation } from '../perturbation.js'

/** What a model under test says of a picture: a probability per label. */
export type Prediction = Readonly<Record<string, number>>

/** Predictions on the file as it was read, on its faithful replay, and on the edit. */
export interface Predictions {
  /** Of the picture as it was read. */
  readonly original: Prediction
  /** Of its replay, which an edit is to be compared with. */
  readonly reconstruction: Prediction
  /** Of the edited picture. */
  readonly edited: Prediction
}

/** Files of one edit, relative to the output folder. */
export interface EditFiles {
  /** The picture as it was read. */
  readonly original: string
  /** Its faithful replay. */
  readonly reconstruction: string
  /** The edited picture. */
  readonly edited: string
  /** Edit minus reconstruction, red where brighter. */
  readonly difference: string
  /** The edit's latents, safetensors, float32. */
  readonly latents: string
}

/** One line of `records.jsonl`: an edit that was made, whether kept or not, or why there is none. */
export interface EditRecord {
  /** The picture's file name. */
  readonly picture: string
  /** Names the edit within its picture; `null` where the picture has none. */
  readonly edit: string | null
  /** `passed` or `rejected` by the gates; `skipped`: it would change nothing; `unreadable` and `unperturbed` pictures. */
  readonly status: 'passed' | 'rejected' | 'skipped' | 'unreadable' | 'unperturbed'
  /** Why it was skipped, or could not be read. */
  readonly reason?: string
  /** Of the picture. */
  readonly caption?: string
  /** The ends of the two captions that the text encoder could not take, where there are any. */
  readonly truncated?: {
    /** Of the caption before. */
    readonly source: string
    /** Of the caption after. */
    readonly target: string
  }
  /** The captions, what changed, and what made the change. */
  readonly perturbation?: Perturbation
  /** How the captions were aligned. */
  readonly control?: 'refine' | 'replace'
  /** The words that were strengthened. */
  readonly emphasised?: readonly string[]
  /** The try of the sweep that was kept, with its verdicts and numbers. */
  readonly kept?: Try
  /** Every try of the sweep. */
  readonly tries?: readonly Try[]
  /** What the model under test says, if there is one. */
  readonly predictions?: Predictions
  /** Where the pictures are. */
  readonly files?: EditFiles
  /** Batch rows that the network evaluated for the picture. */
  readonly evaluations?: {
    /** To invert the picture, once for all its edits. */
    readonly inversion: number
    /** For all its edits, the source's rows included. */
    readonly edits: number
    /** How many edits shared them. */
    readonly sharedBy: number
  }
}

/**
 * Reads a file of records.
 *
 * @param path - JSON, one record a line
 * @returns an empty list when there is no such file
 */
export async function readRecords(path: string): Promise<EditRecord[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EditRecord)
}

/**
 * Writes a file of records, whole or not at all.
 *
 * @param path - replaced if it exists
 * @param records - one a line
 */
export async function writeRecords(path: string, records: readonly EditRecord[]): Promise<void> {
  await writeAtomically(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}
