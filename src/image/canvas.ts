import * as tf from '@tensorflow/tfjs'
import { glyphAdvance, glyphHeight, hasInk } from './glyphs.js'
import type { Colour } from './raster.js'

/** A picture being drawn: interleaved RGB in [0, 1]. Internal to this room; nothing here touches a system font. */
export interface Canvas {
  readonly data: Float32Array
  readonly height: number
  readonly width: number
}

/** Pixels to be drawn: interleaved grey or RGB in [0, 1]. */
export interface Drawable {
  readonly data: ArrayLike<number>
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** An even canvas. */
export function createCanvas(height: number, width: number, colour: Colour): Canvas {
  const canvas = { data: new Float32Array(height * width * 3), height, width }
  fillRect(canvas, 0, 0, height, width, colour)
  return canvas
}

/** Fills a rectangle; what lies outside the canvas is cut off. */
export function fillRect(
  { data, height: rows, width: columns }: Canvas,
  top: number,
  left: number,
  height: number,
  width: number,
  colour: Colour,
): void {
  for (let y = Math.max(0, top); y < Math.min(rows, top + height); y++) {
    for (let x = Math.max(0, left); x < Math.min(columns, left + width); x++) {
      data.set(colour, (y * columns + x) * 3)
    }
  }
}

/** Draws pixels as squares of `scale`. */
export function drawPixels(
  canvas: Canvas,
  picture: Drawable,
  top: number,
  left: number,
  scale: number,
): void {
  const { data, height, width, channels } = picture
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels
      const colour: Colour = [
        data[at]!,
        data[at + (channels > 1 ? 1 : 0)]!,
        data[at + (channels > 1 ? 2 : 0)]!,
      ]
      fillRect(canvas, top + y * scale, left + x * scale, scale, scale, colour)
    }
  }
}

/** Draws one line of text with glyph dots of `scale` pixels. */
export function drawText(
  canvas: Canvas,
  text: string,
  top: number,
  left: number,
  scale: number,
  colour: Colour,
): void {
  for (const [i, character] of [...text].entries()) {
    for (let row = 0; row < glyphHeight; row++) {
      for (let column = 0; column < 5; column++) {
        if (!hasInk(character, row, column)) continue
        fillRect(canvas, top + row * scale, left + (i * glyphAdvance + column) * scale, scale, scale, colour)
      }
    }
  }
}

/** Width of a line of text in pixels. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, [...text].length * glyphAdvance - 1) * scale
}

/** Pixels a glyph dot takes on a picture of this height, so that text stays legible: 2 up to 300 pixels. */
export function textScale(height: number): number {
  return Math.max(2, Math.round(height / 160))
}

/** The smallest whole enlargement that brings a picture's shorter side to 256 pixels. */
export function legibleScale(height: number, width: number): number {
  return Math.max(1, Math.ceil(256 / Math.min(height, width)))
}

/** `[1, height, width, 3]`, owned by the caller. */
export function canvasToTensor({ data, height, width }: Canvas): tf.Tensor4D {
  return tf.tensor4d(data, [1, height, width, 3])
}
