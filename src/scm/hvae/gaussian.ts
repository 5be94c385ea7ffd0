import * as tf from '@tensorflow/tfjs'

/** A diagonal Gaussian over one level's latent; both `[batch, r, r, z_dim]`. */
export interface Gaussian {
  /** The mean. */
  readonly loc: tf.Tensor4D
  /** The logarithm of the deviation. */
  readonly logscale: tf.Tensor4D
}

/** Standard normal noise of a shape: every draw of the model goes through one of these. */
export type DrawNoise = (shape: readonly number[]) => tf.Tensor4D

/** `z = loc + t exp(logscale) ε`; at temperature `t = 0` the mean, and no draw is made. Owned by the caller. */
export function sampleGaussian({ loc, logscale }: Gaussian, draw: DrawNoise, temperature = 1): tf.Tensor4D {
  if (temperature === 0) return loc.clone()
  return tf.tidy(() => tf.add(loc, tf.mul(tf.mul(tf.exp(logscale), temperature), draw(loc.shape))))
}

/**
 * `KL(q ‖ p)` of two diagonal Gaussians, element by element:
 *
 * ```text
 * log σ_p − log σ_q − ½ + (σ_q² + (μ_q − μ_p)²) / (2 σ_p²)
 * ```
 *
 * @returns in nats, of the shape of `q.loc`; owned by the caller
 */
export function gaussianKl(q: Gaussian, p: Gaussian): tf.Tensor4D {
  return tf.tidy(() => {
    const spread = tf.add(tf.exp(tf.mul(q.logscale, 2)), tf.square(tf.sub(q.loc, p.loc)))
    const ratio = tf.mul(tf.mul(spread, tf.exp(tf.mul(p.logscale, -2))), 0.5)
    return tf.sub(tf.add(tf.sub(p.logscale, q.logscale), ratio), 0.5)
  })
}
