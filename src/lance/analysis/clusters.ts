import { kmeans } from 'ml-kmeans'
import { expectNumber } from '../../core/index.js'
import { type Embedder, minus, unitRows } from '../gates/embedder.js'
import {
  type IntervalOptions,
  type MeanSensitivity,
  meanSensitivity,
  type SensitivityRow,
} from './mean-sensitivity.js'

/** An edit as {@link clusterEdits} looks at it. */
export interface ClusterableEdit extends SensitivityRow {
  /** The caption before. */
  readonly source: string
  /** The caption after. */
  readonly target: string
  /** What a person calls the edit, e.g. its new words. */
  readonly name: string
}

/** Edits that change captions alike. */
export interface EditCluster extends MeanSensitivity {
  /** The name of the edit nearest to the centroid. */
  readonly name: string
  /** Indices into the edits that were given. */
  readonly members: readonly number[]
}

/** How {@link clusterEdits} groups. */
export interface ClusterOptions extends IntervalOptions {
  /** How many clusters at the most; 10, as published. Never more than there are different edits. */
  readonly k?: number
}

/**
 * Groups edits by what they say: k-means (k-means++ from a seed) on `E(target) − E(source)`, embeddings of length 1.
 * A cluster is called after the edit nearest to its centroid, and clusters are ranked by how much they move the model
 * under test.
 *
 * @param embedder - of captions
 * @param edits - with their sensitivities, of one label; at least one
 * @param options - how many clusters, the seed
 * @returns most sensitive first
 * @see Prabhu et al. 2023, "LANCE", section 3.4
 */
export async function clusterEdits(
  embedder: Pick<Embedder, 'embedTexts'>,
  edits: readonly ClusterableEdit[],
  options: ClusterOptions = {},
): Promise<EditCluster[]> {
  const { k = 10, seed = 0 } = options
  expectNumber(k, { min: 1, integer: true }, 'clusterEdits', 'k')
  expectNumber(edits.length, { min: 1 }, 'clusterEdits', 'the number of edits')
  const texts = edits.flatMap(({ source, target }) => [source, target])
  const embedded = await unitRows(embedder.embedTexts(texts), texts.length, 'clusterEdits')
  const points = edits.map((_, i) => [...minus(embedded[2 * i + 1]!, embedded[2 * i]!)])
  const different = new Set(points.map((point) => point.join())).size
  const { clusters, centroids } = kmeans(points, Math.min(k, different), { seed })
  const distance = (i: number) => {
    const centroid = centroids[clusters[i]!]!
    return points[i]!.reduce((sum, value, axis) => sum + (value - centroid[axis]!) ** 2, 0)
  }
  return centroids
    .map((_, cluster) => edits.map((_, i) => i).filter((i) => clusters[i] === cluster))
    .filter((members) => members.length > 0)
    .map((members) => {
      const nearest = members.reduce((best, i) => (distance(i) < distance(best) ? i : best))
      const rows = members.map((i) => edits[i]!)
      return { name: edits[nearest]!.name, members, ...meanSensitivity(rows, options) }
    })
    .sort((a, b) => b.mean - a.mean)
}
