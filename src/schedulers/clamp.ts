import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { expectNumber } from '../core/index.js'

/** Bounds on the estimate of the clean latents; both off by default, since latents are not bounded as pixels are. */
export interface ClampOptions {
  /** Clips the estimate to this magnitude; false. Pixel-space models use 1. */
  readonly clipSample?: number | false
  /** Dynamic thresholding (Saharia et al. 2022, §2.3) in place of clipping; false. */
  readonly thresholding?: ThresholdingOptions | false
}

/** Dynamic thresholding: clips each row to a quantile s of its magnitudes, s in [1, `max`], and divides by s. */
export interface ThresholdingOptions {
  /** The quantile, between 0 and 1; 0.995. */
  readonly quantile?: number
  /** The largest s; 1. */
  readonly max?: number
}

/**
 * The function that bounds an estimate of the clean latents.
 *
 * @param options - which bound
 * @param where - the method, named in errors
 * @returns latents to bounded latents (owned by the caller), or undefined where nothing is bounded
 * @throws ArgumentError on a bound outside its domain
 */
export function clampOf(
  options: ClampOptions,
  where: string,
): ((denoised: Tensor4D) => Tensor4D) | undefined {
  const { clipSample = false, thresholding = false } = options
  if (thresholding !== false) {
    const { quantile = 0.995, max = 1 } = thresholding
    expectNumber(quantile, { min: 0, max: 1 }, where, 'thresholding.quantile')
    expectNumber(max, { min: 1 }, where, 'thresholding.max')
    return (denoised) => threshold(denoised, quantile, max)
  }
  if (clipSample === false) return undefined
  expectNumber(clipSample, { min: Number.MIN_VALUE }, where, 'clipSample')
  return (denoised) => tf.clipByValue(denoised, -clipSample, clipSample)
}

// TopK has no gradient, so s is held constant in the backward pass: where a value was clipped, nothing flows.
function threshold(x: Tensor4D, quantile: number, max: number): Tensor4D {
  const clip = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor4D, (tensors: Tensor[]) => void]
    const rows = input.reshape<Tensor2D>([input.shape[0], -1])
    const scale = rowQuantile(rows.abs(), quantile).clipByValue(1, max).reshape([-1, 1, 1, 1])
    save([input, scale])
    return {
      value: tf.minimum(tf.maximum(input, scale.neg()), scale).div(scale),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [original, s] = saved as [Tensor, Tensor]
        return dy.mul(original.abs().lessEqual(s).cast('float32')).div(s)
      },
    }
  })
  return tf.tidy(() => clip(x) as Tensor4D)
}

// Linear interpolation between the two nearest order statistics, as torch.quantile does.
function rowQuantile(rows: Tensor2D, quantile: number): Tensor {
  const size = rows.shape[1]
  const position = quantile * (size - 1)
  const below = Math.floor(position)
  const { values } = tf.topk(rows, size - below)
  const [low, high] = [size - below - 1, Math.max(size - below - 2, 0)]
  const at = (column: number) => values.slice([0, column], [-1, 1])
  return at(low)
    .mul(1 - (position - below))
    .add(at(high).mul(position - below))
}
