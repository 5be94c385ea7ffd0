/** Bits of one element of every element type that the format knows. */
export const dtypeBits = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const

/** Element type of a stored tensor, as the header spells it. */
export type SafetensorsDtype = keyof typeof dtypeBits

/** Element types that can be read as float32 parameters. */
export const floatDtypes: readonly SafetensorsDtype[] = ['F32', 'F16', 'BF16', 'F64']
