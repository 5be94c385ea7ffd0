/**
 * Images to numbers, and the statistics of those numbers. Every metric is one function usable alone; every result
 * says whose definition it is, on what range, from how many.
 *
 * @packageDocumentation
 */

export * from './axioms/index.js'
export * from './classifier/index.js'
export { type FeatureInput, type FidOptions, fid, type SetMetricResult } from './distribution/fid.js'
export { type FrechetDistance, frechetDistance } from './distribution/frechet.js'
export {
  type GaussianAccumulator,
  type GaussianSummary,
  gaussianAccumulator,
} from './distribution/gaussian.js'
export { type KidOptions, type KidResult, kid } from './distribution/kid.js'
export * from './effects/index.js'
export { type FolderGaussian, folderGaussian } from './folder/folder-gaussian.js'
export {
  type FolderEntry,
  type FolderFailure,
  type FolderPicture,
  type PicturesOptions,
  pictures,
  type Unreadable,
} from './folder/pictures.js'
export { type FolderScores, type ScoreFoldersOptions, scoreFolders } from './folder/score-folders.js'
export type { PixelRange, RangeOption } from './images.js'
export type { FeatureFunction, FeatureNetwork } from './networks/feature-network.js'
export {
  type InceptionDialect,
  type InceptionOptions,
  inception,
  inceptionPixels,
  inceptionShapes,
  loadInception,
} from './networks/inception.js'
export type { NetworkShapes } from './networks/weights.js'
export {
  loadXrvDenseNet,
  type XrvDenseNet,
  xrvDenseNet,
  xrvDenseNetShapes,
  xrvFindings,
} from './networks/xrv-densenet.js'
export { type XrvDialect, type XrvOptions, xrvPixels } from './networks/xrv-pixels.js'
export { type LoadedLpips, type LpipsOptions, loadLpips, lpips } from './perceptual/lpips.js'
export { type LpipsNet, lpipsShapes } from './perceptual/lpips-nets.js'
export { type MsSsimOptions, msSsim } from './perceptual/ms-ssim.js'
export { type SsimDialect, type SsimOptions, ssim } from './perceptual/ssim.js'
export { l1 } from './pixel/l1.js'
export { mse } from './pixel/mse.js'
export { type PsnrOptions, psnr } from './pixel/psnr.js'
export * from './reports/index.js'
export type { MetricResult, PairMetric, PairMetricTraits } from './result.js'
export { type ClipScoreOptions, clipScore } from './semantic/clip-score.js'
export { type DirectionalPairs, directionalSimilarity } from './semantic/directional-similarity.js'
export type { ImageEmbedder, TextEmbedder } from './semantic/embedder.js'
export { type FeatureIdentityOptions, featureIdentity } from './semantic/feature-identity.js'
export { imageSimilarity, textSimilarity } from './semantic/similarity.js'
export {
  type PatchFunction,
  type StructureDistanceOptions,
  structureDistance,
} from './semantic/structure-distance.js'
export * from './statistics/index.js'
