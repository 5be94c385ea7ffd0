// Half floats as integers: conversions on bit patterns keep NaN payloads and signed zeros, which JS numbers need not.

/**
 * IEEE 754 binary16 to binary32; exact for every bit pattern.
 *
 * @param bits - half floats as they lie in the file
 * @param target - as many floats, overwritten
 */
export function decodeFloat16(bits: Uint16Array, target: Float32Array): void {
  float16Table ??= makeFloat16Table()
  const table = float16Table
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < bits.length; i++) words[i] = table[bits[i]!]!
}

/**
 * bfloat16 to binary32; exact, for a bfloat16 is the upper half of a binary32.
 *
 * @param bits - bfloat16 values as they lie in the file
 * @param target - as many floats, overwritten
 */
export function decodeBfloat16(bits: Uint16Array, target: Float32Array): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16
}

/**
 * IEEE 754 binary32 to binary16, rounded to nearest, ties to even: what numpy and torch do.
 *
 * @param values - borrowed; magnitudes of 65520 and more become infinite
 * @returns the bit patterns
 */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) bits[i] = toFloat16(words[i]!)
  return bits
}

const infinity32 = 0x7f800000
const overflow32 = 0x477ff000 // 65520, halfway between the largest half and the next step
const smallestNormal32 = 0x38800000 // 2^-14
const halfOfSmallest32 = 0x33000000 // 2^-25, halfway between zero and the smallest subnormal half

function toFloat16(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > infinity32) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff)
  if (magnitude >= overflow32) return sign | 0x7c00
  if (magnitude >= smallestNormal32) {
    const toEven = (magnitude >>> 13) & 1
    return sign | ((magnitude - 0x38000000 + 0xfff + toEven) >>> 13)
  }
  if (magnitude <= halfOfSmallest32) return sign
  // Subnormal: units of 2^-24.
  const shift = 126 - (magnitude >>> 23)
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const kept = mantissa >>> shift
  const rest = mantissa - (kept << shift)
  const middle = 1 << (shift - 1)
  const roundsUp = rest > middle || (rest === middle && (kept & 1) === 1)
  return sign | (kept + (roundsUp ? 1 : 0))
}

// 256 kB, made at first use.
let float16Table: Uint32Array | undefined

function makeFloat16Table(): Uint32Array {
  const words = new Uint32Array(65536)
  const float = new Float32Array(1)
  const word = new Uint32Array(float.buffer)
  for (let bits = 0; bits < 65536; bits++) {
    const sign = (bits & 0x8000) << 16
    const exponent = (bits >>> 10) & 0x1f
    const mantissa = bits & 0x3ff
    if (exponent === 0) {
      float[0] = mantissa * 2 ** -24
      words[bits] = sign | word[0]!
    } else if (exponent === 31) words[bits] = sign | infinity32 | (mantissa << 13)
    else words[bits] = sign | ((exponent + 112) << 23) | (mantissa << 13)
  }
  return words
}
