import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xorshift128plus } from 'pure-rand/generator/xorshift128plus'
import { expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/index.js'
import { CheckpointError } from '../../src/core/index.js'

type Draw = (from: number, to: number) => number
type Mutation = (bytes: Uint8Array, headerLength: number, draw: Draw) => Uint8Array

const text = (bytes: Uint8Array, headerLength: number) =>
  Buffer.from(bytes.subarray(8, 8 + headerLength)).toString('latin1')

const withHeader = (bytes: Uint8Array, headerLength: number, header: string): Uint8Array => {
  const json = Buffer.from(header, 'latin1')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return new Uint8Array(Buffer.concat([length, json, bytes.subarray(8 + headerLength)]))
}

const mutations: Readonly<Record<string, Mutation>> = {
  'header bytes': (bytes, headerLength, draw) => {
    const mutant = bytes.slice()
    for (let n = draw(1, 4); n > 0; n--) mutant[8 + draw(0, headerLength - 1)] = draw(0, 255)
    return mutant
  },
  'header length': (bytes, headerLength, draw) => {
    const mutant = bytes.slice()
    if (draw(0, 1)) mutant[draw(0, 7)] = draw(0, 255)
    else new DataView(mutant.buffer).setUint32(0, headerLength + draw(-8, 8), true)
    return mutant
  },
  // Replaces one number of the header: sizes, offsets.
  numbers: (bytes, headerLength, draw) => {
    const header = text(bytes, headerLength)
    const numbers = [...header.matchAll(/\d+/g)]
    const { index, 0: old } = numbers[draw(0, numbers.length - 1)]!
    const values = [Number(old) + draw(-4, 4), -1, 0, 2 ** 31, 2 ** 53, 1e300, 0.5, draw(0, 300)]
    return withHeader(
      bytes,
      headerLength,
      header.slice(0, index) + values[draw(0, 7)] + header.slice(index + old.length),
    )
  },
  truncation: (bytes, _, draw) => bytes.slice(0, draw(0, bytes.length)),
  'bytes to spare': (bytes, _, draw) => new Uint8Array(Buffer.concat([bytes, Buffer.alloc(draw(1, 16))])),
  // Drops or repeats a piece of the header's text.
  'pieces of text': (bytes, headerLength, draw) => {
    const header = text(bytes, headerLength)
    const begin = draw(0, header.length - 1)
    const piece = header.slice(begin, begin + draw(1, 12))
    const times = draw(0, 1) * 2
    return withHeader(
      bytes,
      headerLength,
      header.slice(0, begin) + piece.repeat(times) + header.slice(begin + piece.length),
    )
  },
}

test.each(Object.entries(mutations))(
  '2,000 mutations of %s: a typed error or a correct load',
  async (_, mutate) => {
    const original = await encodeSafetensors(
      new Map([
        ['a.weight', { shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i) }],
        ['b', { shape: [], data: Float32Array.of(1) }],
        ['c.bias', { shape: [5], data: new Float32Array(5) }],
      ]),
      { metadata: { step: '1' } },
    )
    const headerLength = new DataView(original.buffer).getUint32(0, true)
    const random = xorshift128plus(2024)
    const draw: Draw = (from, to) => uniformInt(random, from, to)

    let refused = 0
    for (let run = 0; run < 2000; run++) {
      const mutant = mutate(original, headerLength, draw)
      try {
        await loadsCorrectly(mutant)
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(500)
  },
)

/** Whatever is accepted tiles the data exactly, and reads as many values as its shape says. */
async function loadsCorrectly(bytes: Uint8Array): Promise<void> {
  const file = await decodeSafetensors(bytes)
  let covered = 8 + new DataView(bytes.buffer).getUint32(0, true)
  for (const [name, { dtype, shape, begin, end }] of file.entries) {
    expect(begin).toBe(covered)
    covered = end
    if (['F32', 'F16', 'BF16', 'F64', 'I64'].includes(dtype)) {
      const values = await file.read(name)
      expect(values.length).toBe(shape.reduce((product, size) => product * size, 1))
    } else await expect(file.read(name)).rejects.toThrow(CheckpointError)
  }
  expect(covered).toBe(bytes.length)
}
