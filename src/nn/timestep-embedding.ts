import * as tf from '@tensorflow/tfjs'

/**
 * Sinusoidal embedding of (possibly fractional) timesteps:
 * `[cos(t f_k), sin(t f_k)]` with `f_k = 10000^(-k / (width/2 - shift))` (Ho et al. 2020, after Vaswani et al.).
 *
 * @param timesteps - one per row
 * @param width - channels of the embedding, even
 * @param cosineFirst - Stable Diffusion's order; otherwise sines come first
 * @param shift - Stable Diffusion: 0
 * @returns `[timesteps, width]`, owned by the caller
 */
export function timestepEmbedding(
  timesteps: readonly number[],
  width: number,
  cosineFirst = true,
  shift = 0,
): tf.Tensor2D {
  const half = width / 2
  const values = new Float32Array(timesteps.length * width)
  timesteps.forEach((t, row) => {
    for (let k = 0; k < half; k++) {
      // PyTorch rounds the frequency and the angle to float32; at t = 981 that is visible in the cosine.
      const frequency = Math.fround(Math.exp(Math.fround((-Math.log(10000) * k) / (half - shift))))
      const angle = Math.fround(Math.fround(t) * frequency)
      const [first, second] = cosineFirst
        ? [Math.cos(angle), Math.sin(angle)]
        : [Math.sin(angle), Math.cos(angle)]
      values[row * width + k] = first
      values[row * width + half + k] = second
    }
  })
  return tf.tensor2d(values, [timesteps.length, width])
}
