import { ArgumentError } from '../../core/index.js'

/** A probability per label, as a model under test gives it. */
export type Probabilities = Readonly<Record<string, number>>

/** How {@link sensitivity} counts. */
export interface SensitivityOptions {
  /**
   * `'lance-2023'` keeps the five likeliest labels of each picture alone (a label that is not among them counts as 0),
   * in whole per cent, as published: coarse, and it answers 0 for what moves below the fifth place.
   */
  readonly dialect?: 'lance-2023' | undefined
}

/**
 * How far an edit moved a model under test: `|p_y(x) − p_y(x′)|` for the label y, on the full probabilities.
 *
 * @param before - on the picture that the edit is compared with
 * @param after - on the edited picture
 * @param label - y
 * @param options - the dialect
 * @returns in [0, 1]; under `'lance-2023'` a whole number of per cent, 0 to 100
 * @throws ArgumentError when a prediction lacks the label, or is no probability
 * @see Prabhu et al. 2023, "LANCE", section 3.4
 */
export function sensitivity(
  before: Probabilities,
  after: Probabilities,
  label: string,
  { dialect }: SensitivityOptions = {},
): number {
  const [p, q] = [before, after].map((prediction) => expectProbability(prediction, label))
  if (dialect !== 'lance-2023') return Math.abs(p! - q!)
  return Math.round(100 * Math.abs(topFive(before, label) - topFive(after, label)))
}

/**
 * The signed change of every label that both predictions have, `after − before`.
 *
 * @param before - on the picture that the edit is compared with
 * @param after - on the edited picture
 */
export function predictionChange(before: Probabilities, after: Probabilities): Record<string, number> {
  const labels = Object.keys(before).filter((label) => label in after)
  return Object.fromEntries(labels.map((label) => [label, after[label]! - before[label]!]))
}

function topFive(prediction: Probabilities, label: string): number {
  const likelier = Object.values(prediction).filter((p) => p > prediction[label]!).length
  return likelier < 5 ? prediction[label]! : 0
}

function expectProbability(prediction: Probabilities, label: string): number {
  const p = prediction[label]
  if (p !== undefined && p >= 0 && p <= 1) return p
  throw new ArgumentError({
    rule: `sensitivity needs a probability of ${JSON.stringify(label)} in [0, 1] in both predictions`,
    got: p === undefined ? `the labels ${Object.keys(prediction).slice(0, 20).join(', ')}` : String(p),
    mend: 'Let the model under test answer with softmax or sigmoid outputs for every label.',
  })
}
