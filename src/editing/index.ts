/**
 * A path and a changed prompt to a new image: prompt-to-prompt; and sampling from noise or from an image.
 *
 * @packageDocumentation
 */
export type { GeneratedImage, GenerationOptions } from './generate.js'
export { type ImageToImageOptions, imageToImage } from './image-to-image.js'
export {
  type BlendWords,
  type ControlOptions,
  type CrossWindows,
  type LocalBlendOptions,
  type PromptControl,
  refine,
  replace,
} from './prompt-control.js'
export type {
  EditedImage,
  EditingOptions,
  PromptEdit,
  PromptEditRequest,
  PromptEdits,
  PromptToPromptManyOptions,
  PromptToPromptOptions,
} from './prompt-edit.js'
export { promptToPrompt, promptToPromptMany } from './prompt-to-prompt.js'
export { type Predict, type SampleOptions, sample } from './sample.js'
export { type TextToImageOptions, textToImage } from './text-to-image.js'
