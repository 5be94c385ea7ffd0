import { ArgumentError, expectNumber } from '../core/index.js'
import type { Colour } from './raster.js'

/** A side or a pair as `[height, width]`. @throws `ArgumentError` unless whole and positive */
export function toSize(size: number | readonly [number, number], where: string): readonly [number, number] {
  const pair = typeof size === 'number' ? ([size, size] as const) : size
  for (const side of pair) expectNumber(side, { min: 1, max: 65535, integer: true }, where, 'size')
  return pair
}

/** A grey level or a triple as a colour. @throws `ArgumentError` outside [0, 1] */
export function toColour(colour: number | Colour, where: string): Colour {
  const triple = typeof colour === 'number' ? ([colour, colour, colour] as const) : colour
  for (const value of triple) expectNumber(value, { min: 0, max: 1 }, where, 'background')
  return triple
}

/** Asserts that an option is one of its names. @throws `ArgumentError` */
export function expectOneOf<T>(value: T, allowed: readonly T[], where: string, what: string): void {
  if (allowed.includes(value)) return
  throw new ArgumentError({
    rule: `${where} needs ${what} to be one of ${allowed.map(String).join(', ')}`,
    got: String(value),
    mend: 'Pass one of these, or leave it out for the default.',
  })
}

/** To the nearest whole number, ties to the even one: numpy's and Python's `round`. */
export function roundHalfEven(x: number): number {
  const up = Math.round(x)
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up
}
