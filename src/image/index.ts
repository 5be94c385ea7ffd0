/**
 * Files to tensors and back, resizing as PIL does it, padding, and signed difference maps: the only room that knows
 * sharp.
 *
 * @packageDocumentation
 */
export type { ResizeKernel } from '../core/index.js'
export { differenceMap, strongestChanges } from './difference-map.js'
export { divergingColour } from './diverging-scale.js'
export type { ResizeFit, ResizeOptions } from './fit.js'
export { fromUint8, toUint8 } from './levels.js'
export { cropToSize, type PaddedImage, type PadOptions, padToMultiple } from './pad.js'
export type { Colour } from './raster.js'
export { type ReadImageOptions, readImage } from './read-image.js'
export { type RenderDifferenceMapOptions, renderDifferenceMap } from './render-difference-map.js'
export { resizeImage } from './resize-image.js'
export { type SideBySideOptions, sideBySide } from './side-by-side.js'
export { type EncodePngOptions, encodePng, type WriteImageOptions, writeImage } from './write-image.js'
