import { expect, test } from 'vitest'
import { parseSafetensorsHeader } from '../../src/checkpoint/index.js'
import { CheckpointError } from '../../src/core/index.js'
import { rawSafetensors } from './files.js'

const f32 = (shape: unknown, begin: unknown, end: unknown, rest = {}) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
  ...rest,
})

const parse = (bytes: Uint8Array) => parseSafetensorsHeader(bytes, bytes.length)

const invalidUtf8 = rawSafetensors('{"a":"__"}', 0)
invalidUtf8.set([0xff, 0xfe], 14)

test.each<[string, Uint8Array, RegExp]>([
  ['an empty file', new Uint8Array(0), /header too small/],
  ['seven bytes', new Uint8Array(7), /header too small/],
  ['a header of more than 100 MB', rawSafetensors({}, 0, 100_000_001n), /header too large/],
  ['a length with its top bit set', rawSafetensors({}, 0, 2n ** 63n), /header too large/],
  ['a header beyond the file', rawSafetensors({}, 0, 3n), /invalid header length/],
  ['no header', rawSafetensors('', 0), /invalid JSON in header/],
  ['bytes that are not UTF-8', invalidUtf8, /invalid UTF-8/],
  ['a byte order mark', rawSafetensors('\ufeff{}', 0), /invalid JSON/],
  ['text that is not JSON', rawSafetensors('{"a"', 0), /invalid JSON in header/],
  ['JSON that is an array', rawSafetensors('[]', 0), /invalid JSON in header/],
  ['JSON that is null', rawSafetensors('null', 0), /invalid JSON in header/],
  ['an entry that is no object', rawSafetensors({ a: 1 }, 0), /tensor "a" as 1/],
  [
    'an entry without a type',
    rawSafetensors({ a: { shape: [], data_offsets: [0, 4] } }, 4),
    /F32.*tensor "a"/,
  ],
  ['an unknown type', rawSafetensors({ a: { ...f32([1], 0, 4), dtype: 'F31' } }, 4), /BF16.*"F31"/],
  [
    'a type from the prototype',
    rawSafetensors({ a: { ...f32([1], 0, 4), dtype: 'toString' } }, 4),
    /"toString"/,
  ],
  ['a negative size', rawSafetensors({ a: f32([-1], 0, 4) }, 4), /whole numbers.*\[-1\]/],
  ['a fractional size', rawSafetensors({ a: f32([0.5], 0, 2) }, 2), /whole numbers/],
  ['a shape that is no list', rawSafetensors({ a: f32(1, 0, 4) }, 4), /whole numbers/],
  ['an overflowing shape', rawSafetensors({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /overflow/],
  ['one offset', rawSafetensors({ a: { ...f32([1], 0, 4), data_offsets: [0] } }, 4), /data_offsets/],
  ['three offsets', rawSafetensors({ a: { ...f32([1], 0, 4), data_offsets: [0, 4, 8] } }, 4), /data_offsets/],
  ['an offset beyond exact numbers', rawSafetensors({ a: f32([1], 0, 2 ** 60) }, 4), /data_offsets/],
  ['too few bytes', rawSafetensors({ a: f32([2], 0, 4) }, 4), /invalid shape, data type, or offset/],
  ['too many bytes', rawSafetensors({ a: f32([1], 0, 8) }, 8), /invalid shape, data type, or offset/],
  [
    'offsets in the wrong order',
    rawSafetensors({ a: f32([1], 4, 0) }, 4),
    /invalid shape, data type, or offset/,
  ],
  [
    'half a byte',
    rawSafetensors({ a: { dtype: 'F4', shape: [3], data_offsets: [0, 1] } }, 1),
    /invalid shape/,
  ],
  ['an overlap', rawSafetensors({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /tensor "b".*invalid offset/],
  ['a gap', rawSafetensors({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /tensor "b".*invalid offset/],
  ['a late start', rawSafetensors({ a: f32([1], 4, 8) }, 8), /tensor "a".*invalid offset/],
  ['bytes to spare', rawSafetensors({ a: f32([1], 0, 4) }, 5), /not fully covered/],
  ['missing bytes', rawSafetensors({ a: f32([2], 0, 8) }, 7), /not fully covered/],
  ['bytes and no tensors', rawSafetensors({}, 1), /not fully covered/],
  ['metadata that is a number', rawSafetensors({ __metadata__: { step: 1 } }, 0), /strings to strings/],
  ['metadata that is a list', rawSafetensors({ __metadata__: [] }, 0), /strings to strings/],
  [
    'a name twice',
    rawSafetensors(`{"a":${JSON.stringify(f32([1], 0, 4))},"\\u0061":${JSON.stringify(f32([1], 4, 8))}}`, 8),
    /"a" twice/,
  ],
  [
    'a field twice',
    rawSafetensors('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    /"dtype" twice/,
  ],
])('refuses %s', (_, bytes, message) => {
  expect(() => parse(bytes)).toThrow(CheckpointError)
  expect(() => parse(bytes)).toThrow(message)
})

test.each<[string, Uint8Array, Record<string, number[]>]>([
  ['a scalar', rawSafetensors({ a: f32([], 0, 4) }, 4), { a: [] }],
  ['an empty tensor', rawSafetensors({ a: f32([3, 0, 2], 0, 0) }, 0), { a: [3, 0, 2] }],
  [
    'an empty tensor between others',
    rawSafetensors({ a: f32([1], 0, 4), b: f32([0], 4, 4), c: f32([1], 4, 8) }, 8),
    { a: [1], b: [0], c: [1] },
  ],
  ['no tensors', rawSafetensors({}, 0), {}],
  ['no metadata', rawSafetensors({ __metadata__: null }, 0), {}],
  ['a leading space', rawSafetensors(` ${JSON.stringify({ a: f32([1], 0, 4) })}`, 4), { a: [1] }],
  [
    'trailing spaces and a newline',
    rawSafetensors(`${JSON.stringify({ a: f32([1], 0, 4) })}  \n`, 4),
    { a: [1] },
  ],
  ['an unknown field', rawSafetensors({ a: f32([1], 0, 4, { note: ['x', { y: 1.5 }] }) }, 4), { a: [1] }],
  [
    'fields in any order',
    rawSafetensors('{"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}', 4),
    { a: [1] },
  ],
  ['tensors in any order', rawSafetensors({ a: f32([1], 4, 8), b: f32([1], 0, 4) }, 8), { b: [1], a: [1] }],
  ['two half bytes', rawSafetensors({ a: { dtype: 'F4', shape: [4], data_offsets: [0, 2] } }, 2), { a: [4] }],
  [
    'names of any kind',
    rawSafetensors({ '': f32([1], 0, 4), 'é"\\{': f32([1], 4, 8) }, 8),
    { '': [1], 'é"\\{': [1] },
  ],
  [
    'a name from the prototype',
    rawSafetensors(`{"__proto__":${JSON.stringify(f32([1], 0, 4))}}`, 4),
    { ['__proto__']: [1] },
  ],
])('accepts %s', (_, bytes, shapes) => {
  const { entries } = parse(bytes)
  expect([...entries].map(([name, { shape }]) => [name, shape])).toEqual(Object.entries(shapes))
})

test('offsets count from the start of the file, wherever the header ends', () => {
  const bytes = rawSafetensors(`${JSON.stringify({ a: f32([2], 0, 8) })} `, 8)
  const { begin, end } = parse(bytes).entries.get('a')!
  expect([begin, end]).toEqual([bytes.length - 8, bytes.length])
})

test('the header of a file larger than four gigabytes needs only its own bytes', () => {
  const header = rawSafetensors({ a: f32([2 ** 31], 0, 2 ** 33), b: f32([1], 2 ** 33, 2 ** 33 + 4) }, 0)
  const { entries } = parseSafetensorsHeader(header, header.length + 2 ** 33 + 4)
  expect(entries.get('b')!.begin).toBe(header.length + 2 ** 33)
})
