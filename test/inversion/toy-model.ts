import * as tf from '@tensorflow/tfjs'
import type { AttentionSite, Denoiser, LatentDiffusion, Tokenizer } from '../../src/core/index.js'

/** One attention layer of the toy network: pixels pooled by `pool`, looking at each other or at the prompt. */
export interface ToyLayer {
  readonly kind: AttentionSite['kind']
  readonly pool: number
}

const layers: readonly ToyLayer[] = [
  { kind: 'self', pool: 1 },
  { kind: 'cross', pool: 1 },
  { kind: 'self', pool: 2 },
  { kind: 'cross', pool: 2 },
]

/** A network of attention alone: differentiable, tidy, and it honours `attention`. Counts its rows in `calls`. */
export function toyDenoiser(calls: number[] = [], toy: readonly ToyLayer[] = layers): Denoiser {
  return (x, timestep, context, attention) => {
    calls.push(x.shape[0])
    return tf.tidy(() => {
      const [batch, height, width, channels] = x.shape
      let h = x.mul(0.4) as tf.Tensor4D
      for (const [layer, { kind, pool }] of toy.entries()) {
        if (height % pool > 0 || width % pool > 0) continue
        const [rows, columns] = [height / pool, width / pool]
        const queries = h
          .reshape([batch, rows, pool, columns, pool * channels])
          .sum(2)
          .reshape([batch, rows * columns, pool, channels])
          .mean<tf.Tensor3D>(2)
        const keys = kind === 'self' ? queries : context
        const scores = [1, -1.5].map((sharpness) => queries.mul(sharpness).matMul(keys, false, true))
        let probabilities = tf.softmax(tf.stack(scores, 1)) as tf.Tensor4D
        const site = {
          kind,
          place: 'mid',
          name: `toy.${layer}`,
          layer,
          height: rows,
          width: columns,
          timestep,
        }
        if (attention) probabilities = attention(probabilities, site as AttentionSite)
        const seen = probabilities.matMul(tf.stack([keys, keys], 1)).mean<tf.Tensor3D>(1)
        const tall = seen.reshape([batch, rows, 1, columns * channels]).tile([1, 1, pool, 1])
        const wide = tall.reshape([batch * height, columns, 1, channels]).tile([1, 1, pool, 1])
        const fine = wide.reshape<tf.Tensor4D>(x.shape)
        h = h.add(fine.mul(0.3))
      }
      return h.tanh().add<tf.Tensor4D>(x.mul(0.05 + 1e-5 * Number(timestep)))
    })
  }
}

/** One token per word; twelve slots. */
export function toyTokenizer(maxLength = 12): Tokenizer {
  const words = '<s> </s> heart and line no lungs a b c d e f g h i j k l'.split(' ')
  const idOf = (word: string) => words.indexOf(word)
  return {
    maxLength,
    encode: (prompt) => {
      const all = prompt.split(' ').filter((word) => word !== '')
      const kept = all.slice(0, maxLength - 2)
      const ids = [0, ...kept.map(idOf), 1]
      const padding = new Array<number>(maxLength - ids.length).fill(1)
      const truncated = all.slice(kept.length).join(' ')
      return { prompt, ids: [...ids, ...padding], length: ids.length, truncated }
    },
    decodeToken: (id) => words[id]!,
  }
}

/** A latent diffusion model without weights: 8 x 8 pixels are one latent pixel, four channels. */
export function toyModel(denoise: Denoiser = toyDenoiser()): LatentDiffusion {
  const tokenizer = toyTokenizer()
  return {
    denoise,
    tokenizer,
    encodePrompts: (prompts) => {
      const encoded = prompts.map((prompt) => tokenizer.encode(prompt).ids)
      const value = (id: number, token: number, k: number) => Math.sin(1 + id * 1.7 + token * 0.3 + k * 2.1)
      return tf.tensor3d(
        encoded.map((ids) => ids.map((id, token) => [0, 1, 2, 3].map((k) => value(id, token, k)))),
      )
    },
    encodeImage: (image) =>
      tf.tidy(() => {
        const [batch, height, width] = image.shape
        const pooled = image
          .mul(2)
          .sub(1)
          .reshape([batch, height / 8, 8, width / 8, 24])
          .mean(2)
          .reshape([batch, height / 8, width / 8, 8, 3])
          .mean<tf.Tensor4D>(3)
        return tf.concat([pooled, pooled.mean<tf.Tensor4D>(3, true)], 3)
      }),
    decodeLatents: (latents) =>
      tf.tidy(() => {
        const [batch, height, width] = latents.shape
        const colours = latents.slice([0, 0, 0, 0], [-1, -1, -1, 3]).div(2).add(0.5).clipByValue(0, 1)
        return colours
          .reshape([batch, height, 1, width, 1, 3])
          .tile([1, 1, 8, 1, 8, 1])
          .reshape<tf.Tensor4D>([batch, height * 8, width * 8, 3])
      }),
  }
}

/** A smooth picture that the toy autoencoder keeps: constant in blocks of 8 pixels. */
export function toyImage(height = 32, width = 32): tf.Tensor4D {
  const value = (i: number, j: number, c: number) =>
    0.5 + 0.4 * Math.sin(Math.floor(i / 8) * 0.9 + Math.floor(j / 8) * 0.7 + c)
  const pixels = Array.from({ length: height * width * 3 }, (_, n) =>
    value(Math.floor(n / 3 / width), Math.floor(n / 3) % width, n % 3),
  )
  return tf.tensor4d(pixels, [1, height, width, 3])
}

/** Largest absolute difference. */
export function difference(a: tf.Tensor, b: tf.Tensor): number {
  let largest = Number.NaN
  tf.tidy(() => {
    largest = a.sub(b).abs().max().dataSync()[0]!
  })
  return largest
}
