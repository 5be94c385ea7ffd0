import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { decodeBfloat16, decodeFloat16, encodeFloat16 } from '../../src/checkpoint/index.js'

const everyPattern = Uint16Array.from({ length: 65536 }, (_, bits) => bits)

/** The definition: (-1)^sign 2^(e - bias) (1 + m / 2^width), with subnormals, infinities and NaN. */
function fromDefinition(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> 15 === 1 ? -1 : 1
  const exponent = (bits >>> mantissaBits) & (2 ** exponentBits - 1)
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits
  const bias = 2 ** (exponentBits - 1) - 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? 2 ** (1 - bias) * fraction : 2 ** (exponent - bias) * (1 + fraction))
}

test.each([
  ['binary16', decodeFloat16, 5, 10],
  ['bfloat16', decodeBfloat16, 8, 7],
] as const)('every %s pattern is the number of its definition', (_, decode, exponentBits, mantissaBits) => {
  const values = new Float32Array(65536)
  decode(everyPattern, values)
  const wrong = [...everyPattern].filter(
    (bits) => !Object.is(values[bits], Math.fround(fromDefinition(bits, exponentBits, mantissaBits))),
  )
  expect(wrong).toEqual([])
})

test('every half float survives the way to float32 and back, NaN payloads included', () => {
  const values = new Float32Array(65536)
  decodeFloat16(everyPattern, values)
  const back = encodeFloat16(values)
  // A signalling NaN becomes quiet, as IEEE 754 asks of a conversion.
  const quiet = (bits: number) => ((bits & 0x7fff) > 0x7c00 ? bits | 0x200 : bits)
  expect([...everyPattern].filter((bits) => back[bits] !== quiet(bits))).toEqual([])
})

test('float32 rounds to the half float that numpy rounds it to, middles to even', async () => {
  const bytes = new Uint8Array(
    await readFile(new URL('../fixtures/safetensors/rounding.u32', import.meta.url)),
  )
  const [words, halves] = [0, 1].map((row) => new Uint32Array(bytes.buffer).subarray(...halvesOf(bytes, row)))
  const encoded = encodeFloat16(new Float32Array(words!.slice().buffer))
  expect([...encoded]).toEqual([...halves!])
})

function halvesOf(bytes: Uint8Array, row: number): [number, number] {
  const length = bytes.byteLength / 8
  return [row * length, (row + 1) * length]
}

test('a view into a larger buffer is read from its own place', () => {
  const values = new Float32Array(4)
  decodeFloat16(new Uint16Array([0, 0x3c00, 0xc000]).subarray(1), values.subarray(2))
  expect([...values]).toEqual([0, 0, 1, -2])
  expect([...encodeFloat16(values.subarray(2))]).toEqual([0x3c00, 0xc000])
})
