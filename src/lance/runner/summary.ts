import { type MeanSensitivity, meanSensitivity } from '../analysis/mean-sensitivity.js'
import { sensitivity } from '../analysis/sensitivity.js'
import { type PassRate, passRates } from '../gates/pass-rates.js'
import type { EditRecord } from './records.js'

/** How one kind of edit moves one label of the model under test. */
export interface KindSensitivity {
  /** The kind of perturbation. */
  readonly kind: string
  /** The label of the model under test. */
  readonly label: string
  /** Over the edits that passed; `null` when none did. */
  readonly passed: MeanSensitivity | null
  /** Over all edits: what the gates selected from. */
  readonly all: MeanSensitivity
}

/** A run in numbers. */
export interface LanceSummary {
  /** Pictures of the folder. */
  readonly pictures: number
  /** Records by status. */
  readonly status: Readonly<Record<EditRecord['status'], number>>
  /** By kind of perturbation. */
  readonly passRates: readonly PassRate[]
  /** By kind and label, `|p(reconstruction) − p(edit)|`; empty without a model under test. */
  readonly sensitivity: readonly KindSensitivity[]
  /** Batch rows that the network evaluated. */
  readonly evaluations: {
    /** To invert the pictures. */
    readonly inversion: number
    /** For all edits, the source's rows included. */
    readonly edits: number
  }
}

/**
 * Counts, pass rates and sensitivities of some records.
 *
 * @param records - of one run
 */
export function summarise(records: readonly EditRecord[]): LanceSummary {
  const status = { passed: 0, rejected: 0, skipped: 0, unreadable: 0, unperturbed: 0 }
  for (const record of records) status[record.status]++
  const made = records.filter((record) => record.kept !== undefined)
  const judged = made.map(({ perturbation, kept }) => ({
    kind: perturbation!.kind,
    verdicts: kept!.verdicts,
  }))
  return {
    pictures: new Set(records.map(({ picture }) => picture)).size,
    status,
    passRates: passRates(judged),
    sensitivity: sensitivities(made),
    evaluations: countEvaluations(made),
  }
}

function sensitivities(made: readonly EditRecord[]): KindSensitivity[] {
  const rows = made.flatMap(({ picture, perturbation, predictions, status }) => {
    if (!predictions) return []
    const { reconstruction, edited } = predictions
    return Object.keys(reconstruction).map((label) => {
      const value = sensitivity(reconstruction, edited, label)
      return { picture, label, kind: perturbation!.kind, passed: status === 'passed', sensitivity: value }
    })
  })
  const kinds = [...new Set(rows.map(({ kind }) => kind))]
  const labels = [...new Set(rows.map(({ label }) => label))]
  return kinds.flatMap((kind) =>
    labels.map((label) => {
      const all = rows.filter((row) => row.kind === kind && row.label === label)
      const passed = all.filter((row) => row.passed)
      return {
        kind,
        label,
        passed: passed.length > 0 ? meanSensitivity(passed) : null,
        all: meanSensitivity(all),
      }
    }),
  )
}

// Every edit of a picture carries the counts of the whole picture.
function countEvaluations(made: readonly EditRecord[]): LanceSummary['evaluations'] {
  const inversions = new Map(made.map(({ picture, evaluations }) => [picture, evaluations!.inversion]))
  const inversion = [...inversions.values()].reduce((sum, count) => sum + count, 0)
  const edits = made.reduce((sum, { evaluations }) => sum + evaluations!.edits / evaluations!.sharedBy, 0)
  return { inversion, edits: Math.round(edits) }
}
