/** What changed between two captions, word by word. */
export interface WordDiff {
  /** Words of the source that the target lacks and nothing stands for. */
  readonly deleted: readonly string[]
  /** Words of the target that the source lacks and that stand for nothing. */
  readonly inserted: readonly string[]
  /** Runs of words that changed places: `[source, target]`. */
  readonly replaced: readonly (readonly [string, string])[]
}
