import * as tf from '@tensorflow/tfjs'

/** How a picture is cut. All in pixels of the side that is cut. */
export interface Tiles {
  /** Side of a tile. */
  readonly size: number
  /** From one tile's start to the next's. */
  readonly stride: number
}

/** How the results are joined. All in pixels of the result. */
export interface Seams {
  /** Width over which a tile is faded into its upper and left neighbour. */
  readonly blend: number
  /** What is kept of each tile. */
  readonly keep: number
}

/**
 * Runs `f` tile by tile and fades the results into each other, so that memory is that of one tile.
 *
 * Each tile is cross-faded linearly with the one above and then with the one to the left, as diffusers does. The
 * result differs from that of the whole picture: norms and attention see one tile at a time.
 *
 * @param x - `[batch, height, width, channels]`, borrowed
 * @param f - sees one tile, at most `size` on each side
 * @returns owned by the caller
 */
export function tiled(
  x: tf.Tensor4D,
  { size, stride }: Tiles,
  { blend, keep }: Seams,
  f: (tile: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  return tf.tidy(() => {
    const starts = (side: number) => Array.from({ length: Math.ceil(side / stride) }, (_, i) => i * stride)
    let above: tf.Tensor4D[] = []
    const rows = starts(height).map((top) => {
      let left: tf.Tensor4D | undefined
      const blended = starts(width).map((start, column) => {
        const extent: [number, number, number, number] = [
          batch,
          Math.min(size, height - top),
          Math.min(size, width - start),
          channels,
        ]
        let tile = f(tf.slice(x, [0, top, start, 0], extent))
        if (above[column]) tile = fade(above[column], tile, blend, 1)
        if (left) tile = fade(left, tile, blend, 2)
        left = tile
        return tile
      })
      above = blended
      return tf.concat(
        blended.map((tile) => crop(tile, keep)),
        2,
      )
    })
    return tf.concat(rows, 1)
  })
}

// The first `extent` lines of `to` along an axis become a ramp from the last lines of `from`.
function fade(from: tf.Tensor4D, to: tf.Tensor4D, extent: number, axis: 1 | 2): tf.Tensor4D {
  const n = Math.min(from.shape[axis], to.shape[axis], extent)
  const [earlier] = tf.split(tf.reverse(from, axis), [n, from.shape[axis] - n], axis)
  const [start, rest] = tf.split(to, [n, to.shape[axis] - n], axis)
  const weights = Float32Array.from({ length: n }, (_, i) => i / n)
  const ramp = tf.tensor4d(weights, axis === 1 ? [1, n, 1, 1] : [1, 1, n, 1])
  const mixed = tf.add(tf.mul(tf.reverse(earlier!, axis), tf.sub(1, ramp)), tf.mul(start!, ramp))
  return tf.concat([mixed, rest!], axis) as tf.Tensor4D
}

function crop(x: tf.Tensor4D, keep: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  return tf.slice(x, [0, 0, 0, 0], [batch, Math.min(keep, height), Math.min(keep, width), channels])
}
