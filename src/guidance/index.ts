/**
 * Many conditions to one noise estimate: classifier-free guidance, and the algebra of attention control.
 *
 * @packageDocumentation
 */
export {
  type AttentionRule,
  blendByToken,
  composeRules,
  followingControl,
  pairwiseControl,
  type SourceMaps,
} from './attention-rule.js'
export { classifierFree, type GuidancePair, type GuidedNoiseOptions, guidedNoise } from './classifier-free.js'
export { type GuidedOutput, type GuidedRows, guidedBatch } from './guided-batch.js'
export { type BlendMaskOptions, blendMask, defaultBlendResolution, localBlend } from './local-blend.js'
export { refineAttention, type TokenAlignment } from './refine-attention.js'
export { replaceAttention } from './replace-attention.js'
export { replaceSelfAttention } from './replace-self-attention.js'
export { rescaleGuidance } from './rescale.js'
export { reweightAttention } from './reweight-attention.js'
export { type Resolution, WordMaps } from './word-maps.js'
