/**
 * Prompts to tokens, and one prompt's tokens to another's.
 *
 * @packageDocumentation
 */
export { align } from './alignment.js'
export { type TrainedBpe, trainBpe } from './bpe-trainer.js'
export type { AddedToken } from './clip-pipeline.js'
export {
  type ClipTokenizerOptions,
  clipTokenizer,
  type SpecialToken,
  type SpecialTokens,
} from './clip-tokenizer.js'
export { type CrossReplaceOptions, crossReplaceSchedule, type StepWindow } from './cross-replace-schedule.js'
export { type ClipTokenizerFiles, loadClipTokenizer } from './load-clip-tokenizer.js'
export {
  type AlignmentDialect,
  type MapperOptions,
  type RefineMapper,
  refineMapper,
} from './refine-mapper.js'
export { replaceMapper } from './replace-mapper.js'
export { reweightVector } from './reweight-vector.js'
export { formatMerges, type Merge, parseMerges, vocabularyOfMerges } from './vocabulary.js'
export { type PromptWord, tokensOfWord, wordsOf } from './words.js'
