import type { ResizeKernel } from '../core/index.js'
import { expectOneOf, roundHalfEven, toColour } from './checks.js'
import type { Colour, Raster } from './raster.js'
import { resample } from './resample.js'

/**
 * What happens when the proportions differ: `'cover'` cuts off the overhang, centred (as `PIL.ImageOps.fit`);
 * `'contain'` keeps everything and fills bars of the background (as `PIL.ImageOps.pad`); `'fill'` distorts.
 */
export type ResizeFit = 'cover' | 'contain' | 'fill'

/** How to reach another size. */
export interface ResizeOptions {
  /** What to do with other proportions; `'cover'` by default. */
  readonly fit?: ResizeFit
  /** The resampling kernel; `'lanczos3'` by default, what diffusers uses for image files. */
  readonly kernel?: ResizeKernel
  /** Colour of the bars of `'contain'`: grey or `[red, green, blue]` in [0, 1]; black by default. */
  readonly background?: number | readonly [number, number, number]
}

const resizeKernels: readonly ResizeKernel[] = ['lanczos3', 'cubic', 'linear', 'nearest']

/** Brings a raster to `[height, width]`. */
export function fitRaster(
  raster: Raster,
  size: readonly [number, number],
  options: ResizeOptions,
  where: string,
): Raster {
  const { fit = 'cover', kernel = 'lanczos3' } = options
  expectOneOf(kernel, resizeKernels, where, 'kernel')
  expectOneOf(fit, ['cover', 'contain', 'fill'], where, 'fit')
  const [height, width] = size
  if (fit === 'fill') return resample(raster, size, kernel)
  if (fit === 'cover') {
    const cropWidth = Math.min(raster.width, (width / height) * raster.height)
    const cropHeight = Math.min(raster.height, raster.width / (width / height))
    const left = (raster.width - cropWidth) / 2
    const top = (raster.height - cropHeight) / 2
    return resample(raster, size, kernel, [left, top, left + cropWidth, top + cropHeight])
  }
  const wider = raster.width / raster.height > width / height
  const inner = wider
    ? ([Math.max(1, roundHalfEven((raster.height / raster.width) * width)), width] as const)
    : ([height, Math.max(1, roundHalfEven((raster.width / raster.height) * height))] as const)
  return onGround(resample(raster, inner, kernel), size, toColour(options.background ?? 0, where))
}

function onGround(raster: Raster, [height, width]: readonly [number, number], background: Colour): Raster {
  const { channels, peak } = raster
  const ground = channels === 1 ? [background[0]] : background
  const data = new Float32Array(height * width * channels)
  for (let i = 0; i < data.length; i++) data[i] = ground[i % channels]! * peak
  const top = roundHalfEven((height - raster.height) / 2)
  const left = roundHalfEven((width - raster.width) / 2)
  const stride = raster.width * channels
  for (let y = 0; y < raster.height; y++) {
    data.set(raster.data.subarray(y * stride, (y + 1) * stride), ((top + y) * width + left) * channels)
  }
  return { ...raster, data, height, width }
}
